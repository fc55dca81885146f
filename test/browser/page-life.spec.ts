// @module-tag chromium
import { setTimeout as pause } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Channels } from '../../src/channels/channels.js';
import { eventually } from '../support/eventually.js';
import { serveClientPage, type ClientPage } from '../support/client-page.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { connect, type TestClient } from '../support/test-client.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';
import { WholeBrowser } from '../support/whole-browser.js';

const ROOM = 'room:lobby';
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** Its clock moves only when a test says so: what happens meanwhile happens at once. */
const SCRIPT = `
import { createClient } from './src/index.js';
import { VirtualClock } from './src/testing.js';

const [shown, loads, errors, persisted] = [[], [], [], []];
addEventListener('pageshow', (event) => persisted.push(event.persisted));

window.start = (url, token) => {
  const clock = new VirtualClock(Date.now());
  const client = createClient({ url, clock, token: () => token });
  client.on('error', ({ code }) => errors.push(code));
  const load = async ({ reason }) => {
    loads.push(reason);
    const { epoch, seq } = await client.request('history', { channel: '${ROOM}', limit: 1 }, { idempotent: true });
    return { epoch, seq };
  };
  const channel = client.channel('${ROOM}', { load, onMessage: ({ data }) => shown.push(data) });
  Object.assign(window, { client, clock, shown });
  window.look = () => ({ state: client.getSnapshot().state, channel: channel.getSnapshot().state, shown, loads, errors, persisted });
};
`;

/** Waits until the page shows it. */
async function shows(page: Page, part: object): Promise<void> {
  await expect.poll(() => page.evaluate('look()')).toMatchObject(part);
}

/** Moves the page's clock, and lets what was sent meanwhile be answered. */
async function advance(page: Page, ms: number): Promise<void> {
  await page.evaluate(`clock.advance(${ms})`);
}

/** `npm run test:soak` publishes for longer, and tells how long the page was held up. */
const FLOOD_SECONDS = Number(process.env.FLOOD_SECONDS ?? 1);
const FLOOD_RATE = 1_000;
const AT_ONCE = 20;

/** Tasks of the page of more than 50 ms, in milliseconds. */
const WATCH_TASKS = `
window.longTasks = [];
new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask' });
`;

describe('a page with the client library', () => {
  let site: ClientPage;
  let browser: WholeBrowser;
  let server: TestServer;
  let proxy: TcpProxy;
  let other: TestClient;
  let page: Page;

  const publish = (data: unknown) => other.request('publish', { channel: ROOM, data });

  beforeAll(async () => {
    [site, browser] = await Promise.all([serveClientPage(SCRIPT), WholeBrowser.start()]);
  });

  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]();
    await site?.[Symbol.asyncDispose]();
  });

  beforeEach(async () => {
    server = await startTestServer();
    proxy = await TcpProxy.start(server.port);
    other = await connect(server.url, { claims: { sub: 'bob' } });
    await other.request('subscribe', { channel: ROOM });
    page = await browser.open(site.url);
    await page.evaluate(`start('ws://127.0.0.1:${proxy.port}/ws', '${mintToken()}')`);
    await shows(page, { channel: 'live' });
    await publish('before');
    await shows(page, { shown: ['before'] });
  });

  afterEach(async () => {
    await browser.setOffline(false);
    await browser.clear();
    await other[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  it('stays connected while it is hidden for ten minutes', async () => {
    await browser.open('about:blank');
    for (let minute = 0; minute < 10; minute += 1) {
      await advance(page, MINUTE);
      // Answers come in order: after this one, those to the pings of the minute are there.
      await page.evaluate(`client.request('echo', 1)`);
    }
    await publish('meanwhile');
    await shows(page, { state: 'open', shown: ['before', 'meanwhile'], loads: ['first'], errors: [] });
    expect(proxy.connections).toBe(1);
  });

  it('does not dial while it is hidden, and does so at once when it is shown', async () => {
    await browser.open('about:blank');
    proxy.cut();
    await shows(page, { state: 'waiting' });
    await publish('meanwhile');
    await advance(page, 10 * MINUTE);
    expect(await page.evaluate('look()')).toMatchObject({ state: 'waiting', shown: ['before'] });
    await page.bringToFront();
    await shows(page, { channel: 'live', shown: ['before', 'meanwhile'], loads: ['first'], errors: [] });
  });

  it('notices after a night asleep that the network has forgotten its connection', async () => {
    proxy.swallow();
    await publish('at night');
    // No event tells it, and its timers have slept, too.
    await page.evaluate(`clock.jump(${8 * 60 * MINUTE})`);
    await advance(page, 26 * SECOND);
    await shows(page, { state: 'open' });
    // A ping has no answer within the time that the server names: HEARTBEAT_TIMEOUT_MS.
    await advance(page, 300 * SECOND);
    expect(await page.evaluate('look().state')).not.toBe('open');
    proxy.cut();
    proxy.restore();
    await advance(page, MINUTE);
    await shows(page, { channel: 'live', shown: ['before', 'at night'], loads: ['first'], errors: [] });
  });

  it('connects at once when the network is back', async () => {
    await browser.setOffline(true);
    proxy.cut();
    await shows(page, { state: 'waiting' });
    await publish('meanwhile');
    await advance(page, 10 * MINUTE);
    expect(proxy.connections).toBe(0);
    await browser.setOffline(false);
    await shows(page, { channel: 'live', shown: ['before', 'meanwhile'], loads: ['first'], errors: [] });
  });

  it('gives its connection up when it is frozen, and has another when it is shown again', async () => {
    await browser.open('about:blank');
    const devTools = await browser.devTools(page);
    await devTools.send('Page.setWebLifecycleState', { state: 'frozen' });
    await eventually('it has hung up', () => proxy.connections === 0);
    await publish('meanwhile');
    await devTools.send('Page.setWebLifecycleState', { state: 'active' });
    await page.bringToFront();
    await shows(page, { channel: 'live', shown: ['before', 'meanwhile'], loads: ['first'], errors: [] });
  });

  it('goes to the back/forward cache, and comes back to where it was', async () => {
    await page.goto('about:blank');
    await eventually('it has hung up', () => proxy.connections === 0);
    await publish('meanwhile');
    await page.goBack({ waitUntil: 'commit' });
    await shows(page, { channel: 'live', shown: ['before', 'meanwhile'], loads: ['first'], persisted: [false, true] });
  });

  it('shows 1,000 publications a second in their order', async () => {
    const channels = server.app.get(Channels, { strict: false });
    await page.evaluate(WATCH_TASKS);
    const startsAt = performance.now();
    const all = Array.from({ length: FLOOD_SECONDS * FLOOD_RATE }, (_, index) => index);
    for (const number of all) {
      if (number % AT_ONCE === 0) await pause(startsAt + (1_000 * number) / FLOOD_RATE - performance.now());
      await channels.publish(ROOM, number);
    }
    await expect.poll(() => page.evaluate('shown.length')).toBe(1 + all.length);
    expect(await page.evaluate('look()')).toMatchObject({ shown: ['before', ...all], loads: ['first'], errors: [] });
    if (FLOOD_SECONDS === 1) return;
    const longTasks = await page.evaluate<number[]>('longTasks');
    process.stdout.write(`${all.length} publications: ${longTasks.length} tasks over 50 ms: ${longTasks.join(', ')}\n`);
  });
});
