import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { LoadMeter } from '../../src/lifecycle/load-meter.js';
import { api } from '../support/api-client.js';
import { buildConsole, consolePage, visit } from '../support/console-page.js';
import { namespacesFile } from '../support/namespaces-file.js';
import { connect, type TestClient } from '../support/test-client.js';
import { TestNodes } from '../support/test-nodes.js';

/** Set by `npm run docs:screenshots`: the folder of the pictures. */
const folder = process.env.CONSOLE_SCREENSHOTS ?? '';
const PEOPLE = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi', 'ivan', 'judy', 'ken', 'laura'];
const TEXTS = [
  'Good morning',
  'Is the build green?',
  'It is',
  'Then let us ship it',
  'Lunch?',
  'In ten minutes',
  'On my way',
];
const STEPS = 110;

/** Ten minutes pass in the seconds that this takes. */
async function traffic(nodes: TestNodes, clients: readonly TestClient[]): Promise<void> {
  for (let step = 0; step < STEPS; step += 1) {
    const wave = 3 + Math.round(2.5 * Math.sin(step / 9) + Math.random() * 1.5);
    for (let n = 0; n < wave; n += 1) {
      const client = clients[(step * 5 + n) % clients.length];
      const text = TEXTS[(step + n) % TEXTS.length];
      if (n === 0) client?.send({ type: 'publish', id: step, data: { channel: 'room:lobby', data: { text } } });
      client?.send({ type: 'echo', id: `${step}.${n}`, data: text });
    }
    await new Promise((next) => setTimeout(next, 60));
    for (const index of [0, 1]) {
      for (let sample = 0; sample < 10; sample += 1) nodes.get(index, LoadMeter).emit('measured');
    }
  }
}

describe.skipIf(folder === '')('pictures of the console', { tags: ['chromium', 'redis'] }, () => {
  it('are taken of each page', async () => {
    buildConsole();
    mkdirSync(folder, { recursive: true });
    using file = namespacesFile({
      room: 'subscribe: signed_in, publish: signed_in, presence: true, history: { size: 100, age: 1h }, ledger: true',
      feed: 'subscribe: anyone, history: { size: 50, age: 1d }',
    });
    await using nodes = await TestNodes.start(['node-1', 'node-2'], file.environment);
    const clients = await Promise.all(
      [...PEOPLE, ...PEOPLE.slice(0, 6)].map((sub, index) =>
        connect(nodes.at(index % 2).url, { claims: { sub, roles: ['MEMBER'] } }),
      ),
    );
    for (const [index, client] of clients.entries()) {
      for (const channel of ['room:lobby', index % 3 === 0 ? 'room:support' : 'feed:news']) {
        client.send({ type: 'subscribe', id: 's', data: { channel } });
      }
    }
    await traffic(nodes, clients);
    await api(nodes.at(0), 'POST /api/bans', {
      body: { kind: 'user', key: 'mallory', durationMs: 3_600_000, reason: 'Floods the lobby' },
    });
    await using console = await consolePage();
    const { page } = console;
    await page.setViewportSize({ width: 1280, height: 820 });
    await console.open(nodes.at(0));
    const take = async (name: string): Promise<void> => {
      await expect.poll(() => page.getByText('Loading…').count()).toBe(0);
      await page.waitForTimeout(400);
      await page.screenshot({ path: join(folder, `console-${name}.png`), animations: 'disabled' });
    };
    const go = (path: string): Promise<void> => visit(page, path);
    await page.getByText('Healthy.').waitFor();
    await take('overview');
    await page.emulateMedia({ colorScheme: 'dark' });
    await take('overview-dark');
    await page.emulateMedia({ colorScheme: 'light' });
    await go('sessions?q=');
    await page.getByRole('row').nth(3).waitFor();
    await take('sessions');
    await go('sessions?q=alice');
    await page
      .getByRole('link', { name: /^[\da-f]{8}$/ })
      .first()
      .click();
    await page.getByRole('heading', { name: 'Other sessions' }).waitFor();
    await page.getByRole('link', { name: 'room:lobby' }).waitFor();
    await take('session');
    await go('channel/room%3Alobby');
    await page.getByRole('link', { name: 'Explain' }).first().waitFor();
    await take('channel');
    await go('explain?userId=alice&channel=room:lobby&seq=42');
    await page.getByRole('list').filter({ hasText: 'published' }).waitFor();
    await take('explain');
    await go('messages/publish');
    await page.getByRole('heading', { name: 'Schema' }).waitFor();
    await page.getByLabel('Data, JSON or text').fill('{ "channel": "feed:news", "data": { "text": "Hello" } }');
    await take('messages');
    await tap(page, nodes, clients);
    await take('tap');
    await go('operations');
    await page.getByText('mallory').first().waitFor();
    await page.getByRole('heading', { name: 'Audit' }).waitFor();
    await take('operations');
    await page.setViewportSize({ width: 390, height: 844 });
    await go('sessions?q=alice');
    await page.getByText('node-1').first().waitFor();
    await take('phone');
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
  });
});

async function tap(page: Page, nodes: TestNodes, clients: readonly TestClient[]): Promise<void> {
  await visit(page, 'tap?userId=alice');
  await page.getByRole('button', { name: 'Start' }).click();
  await page.getByText('live', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Show payloads…' }).click();
  await page.getByRole('button', { name: 'Show payloads', exact: true }).click();
  await page.waitForTimeout(500);
  for (const [index, text] of TEXTS.entries()) {
    const data = { channel: 'room:lobby', data: { text } };
    clients[index % 3]?.send({ type: 'publish', id: index, data });
  }
  clients[0]?.send({ type: 'nonsense', id: 'x' });
  await page.getByText('UNKNOWN_MESSAGE_TYPE').first().waitFor();
  await api(nodes.at(0), 'POST /api/users/alice/messages', { body: { data: { text: 'Your order has shipped' } } });
  await page.waitForTimeout(500);
}
