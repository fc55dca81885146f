// @module-tag chromium
import type { Type } from '@nestjs/common';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import FleetModule, { Fleet } from '../../examples/fleet/server.js';
import TwinModule from '../../examples/twin/server.js';
import { openStateSite, type StateExample } from '../../scripts/state-site.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { openPage, type BrowserPage } from '../support/browser-page.js';
import { eventually } from '../support/eventually.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

/** Set by `npm run docs:screenshots`: the folder of the pictures. */
const pictures = process.env.CONSOLE_SCREENSHOTS;

interface Shown extends AsyncDisposable {
  readonly server: TestServer;
  readonly page: Page;
  readonly url: string;
}

/** What is shown counts here, and not how smoothly: to draw 60 times a second takes most of a processor. */
const DRAW_SELDOM = `
  window.requestAnimationFrame = (draw) => setTimeout(() => draw(performance.now()), 200);
  window.cancelAnimationFrame = clearTimeout;
`;

async function openExample(url: string): Promise<BrowserPage> {
  const browser = await openPage();
  await browser.page.addInitScript(DRAW_SELDOM);
  await browser.page.goto(url);
  return browser;
}

async function show(example: StateExample, features: readonly Type[] = []): Promise<Shown> {
  const environment = { CHANNELS_FILE: `examples/${example}/channels.yaml`, ALLOWED_ORIGINS: '*' };
  const server = await startTestServer({ ...environment, AUTH_MODE: 'optional', MESSAGE_RATE: '0' }, features);
  const site = await openStateSite({ example, server: server.url });
  const { page, [Symbol.asyncDispose]: closePage } = await openExample(site.url);
  return {
    server,
    page,
    url: site.url,
    [Symbol.asyncDispose]: async () => {
      await closePage();
      await site[Symbol.asyncDispose]();
      await server.close();
    },
  };
}

const COUNT_COLOURS = `
  const canvas = document.querySelector('canvas');
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  const seen = new Set();
  for (let at = 0; at < pixels.length; at += 400) seen.add([pixels[at], pixels[at + 1], pixels[at + 2]].join());
  seen.size;
`;

/** Of the pixels of the canvas, one in a hundred. */
function coloursOf(page: Page): Promise<number> {
  return page.evaluate<number>(COUNT_COLOURS);
}

function numbersIn(text: string | null): readonly number[] {
  return (text?.match(/\d+/g) ?? []).map(Number);
}

/** The vehicles that the page knows. */
async function keysOf(page: Page): Promise<readonly string[]> {
  return page.evaluate<string[]>('[...window.fleet.values.keys()]');
}

async function takePicture(page: Page, name: string): Promise<void> {
  if (pictures === undefined) return;
  mkdirSync(pictures, { recursive: true });
  await page.setViewportSize({ width: 1000, height: 640 });
  await page.waitForTimeout(4_000);
  await page.screenshot({ path: join(pictures, `example-${name}.png`) });
}

describe('the examples of state, in a browser', () => {
  it('scene: shows everybody who is here, and forgets who leaves', async () => {
    await using scene = await show('scene');
    const { page, server } = scene;
    await page.getByText('live · 1 here').waitFor();
    for (let n = 0; n < 2; n += 1) await page.getByRole('button', { name: 'Add a walker' }).click();
    await page.getByText('live · 3 here').waitFor();
    await using second = await openExample(scene.url);
    const other = second.page;
    await other.getByText('live · 4 here').waitFor();
    await page.getByText('live · 4 here').waitFor();
    expect(await coloursOf(other)).toBeGreaterThan(6);
    await takePicture(page, 'scene');
    await other.close();
    await eventually('its session is gone', () => server.app.get(SessionRegistry, { strict: false }).size === 3);
    await page.getByText('live · 3 here').waitFor();
  });

  it('fleet: shows the vehicles in view and no others, and those of another view when the map moves', async () => {
    // Fewer than in the example, unless a picture is taken.
    if (pictures === undefined) Fleet.size = 600;
    await using fleet = await show('fleet', [FleetModule]);
    const { page } = fleet;
    const status = page.getByText(/^live · [1-9]\d* of [1-9]\d* in view/);
    await status.waitFor();
    const [, loaded = 0] = numbersIn(await status.textContent());
    expect(loaded).toBeLessThan(Fleet.size / 2);
    const keys = await keysOf(page);
    const map = await page.getByLabel('A map with vehicles').boundingBox();
    if (map === null) throw new Error('there is no map');
    const middle = { x: map.x + map.width / 2, y: map.y + map.height / 2 };
    await page.mouse.move(middle.x, middle.y);
    await page.mouse.down();
    for (let step = 1; step <= 5; step += 1) await page.mouse.move(middle.x - step * 80, middle.y + step * 20);
    await page.mouse.up();
    await eventually('other vehicles are there', async () => {
      const now = await keysOf(page);
      return now.length > 0 && now.filter((key) => !keys.includes(key)).length > 10;
    });
    expect(await coloursOf(page)).toBeGreaterThan(6);
    await takePicture(page, 'fleet');
  });

  it('twin: shows the machines and their alarms, and replays the past with another limit', async () => {
    await using twin = await show('twin', [TwinModule]);
    const { page } = twin;
    await page.getByText('open').waitFor();
    await page.getByRole('listitem').filter({ hasText: 'oven is too hot' }).first().waitFor();
    expect(await coloursOf(page)).toBeGreaterThan(6);
    await page.getByLabel('Limit').fill('225');
    await page.getByRole('button', { name: 'What would have happened?' }).click();
    await page.getByText(/With 225 °C the oven would have been too hot \d+ times in [1-9]\d* readings/).waitFor();
    await takePicture(page, 'twin');
  });
});
