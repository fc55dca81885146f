// @module-tag chromium
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { serveClientPage, type ClientPage } from '../support/client-page.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { connect, type TestClient } from '../support/test-client.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';
import { WholeBrowser } from '../support/whole-browser.js';

const ROOM = 'room:lobby';

const SCRIPT = `
import { createClient } from './src/index.js';
import { sharedSockets } from './src/tabs.js';
import { VirtualClock } from './src/testing.js';

// For a tab that is starved, hardly any time passes.
const clock = new VirtualClock(Date.now());
let passed = Promise.resolve();
const pass = (ms) => (passed = passed.then(() => clock.advance(ms)));
let last = performance.now();
setInterval(() => {
  const now = performance.now();
  pass(Math.min(now - last, 1000));
  last = now;
}, 50);

window.start = (url, token) => {
  const shown = [];
  const WebSocket = sharedSockets({ user: 'alice', clock });
  // Hidden tabs wait until they are shown; here all of them are watched at once.
  const client = createClient({ url, clock, WebSocket, dialWhenHidden: true, token: () => token });
  const channel = client.channel('${ROOM}', { onMessage: ({ data }) => shown.push(data) });
  Object.assign(window, { client });
  window.passSilence = async () => {
    while (client.getSnapshot().state === 'open') await pass(1000);
  };
  window.look = () => ({ channel: channel.getSnapshot().state, shown });
};
`;

async function shows(page: Page, part: object): Promise<void> {
  await expect.poll(() => page.evaluate('look()')).toMatchObject(part);
}

/** Time passes until the tab has noticed that its leader does not answer. */
async function noticesSilence(page: Page): Promise<void> {
  await page.evaluate('passSilence()');
}

describe('tabs of one browser that share a connection', () => {
  let site: ClientPage;
  let browser: WholeBrowser;
  let server: TestServer;
  let proxy: TcpProxy;
  let other: TestClient;

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
  });

  afterEach(async () => {
    await browser.clear();
    await other[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  /** The first of them leads, and the last is in front. */
  async function openTabs(count: 2): Promise<[Page, Page]>;
  async function openTabs(count: 5): Promise<[Page, Page, Page, ...Page[]]>;
  async function openTabs(count: number): Promise<Page[]> {
    const tabs: Page[] = [];
    for (let index = 0; index < count; index += 1) {
      const page = await browser.open(site.url);
      await page.evaluate(`start('ws://127.0.0.1:${proxy.port}/ws', '${mintToken()}')`);
      await shows(page, { channel: 'live' });
      tabs.push(page);
    }
    await publish(1);
    await share(tabs, [1]);
    return tabs;
  }

  async function share(tabs: readonly Page[], shown: readonly unknown[]): Promise<void> {
    for (const page of tabs) {
      // A hidden tab that has lost its connection waits until somebody looks at it.
      await page.bringToFront();
      await shows(page, { channel: 'live', shown });
    }
    await eventually('they have one connection', () => proxy.connections === 1);
  }

  async function freeze(tab: Page): Promise<() => Promise<unknown>> {
    const devTools = await browser.devTools(tab);
    await devTools.send('Page.setWebLifecycleState', { state: 'frozen' });
    return () => devTools.send('Page.setWebLifecycleState', { state: 'active' });
  }

  async function hang(tab: Page): Promise<() => Promise<unknown>> {
    const devTools = await browser.devTools(tab);
    await devTools.send('Debugger.enable');
    await devTools.send('Debugger.pause');
    return () => devTools.send('Debugger.disable');
  }

  /** Ends its process. */
  async function kill(tab: Page): Promise<void> {
    const devTools = await browser.devTools(tab);
    // The answer never comes.
    devTools.send('Page.crash').catch(() => {});
  }

  it('go on with another leader when theirs is closed, and end the connection with the last of them', async () => {
    const [leader, last] = await openTabs(2);
    const closing = leader.close();
    await publish(2);
    await closing;
    await share([last], [1, 2]);
    await publish(3);
    await share([last], [1, 2, 3]);
    await last.evaluate('client.close()');
    await eventually('it is ended', () => proxy.connections === 0);
  });

  it('go on with another leader when the browser freezes theirs, which follows later', async () => {
    const [leader, follower] = await openTabs(2);
    const wake = await freeze(leader);
    await publish(2);
    await share([follower], [1, 2]);
    await wake();
    await leader.bringToFront();
    await publish(3);
    await share([leader, follower], [1, 2, 3]);
  });

  it('take the lead from a leader that hangs, which follows later and drops its connection', async () => {
    const [leader, follower] = await openTabs(2);
    const wake = await hang(leader);
    await publish(2);
    await noticesSilence(follower);
    await shows(follower, { channel: 'live', shown: [1, 2] });
    await wake();
    await publish(3);
    await share([leader, follower], [1, 2, 3]);
  });

  it('are five, of which one leader is killed, the next is frozen, and the next hangs', async () => {
    // They lead in the order in which they came.
    const [first, second, third, ...rest] = await openTabs(5);
    await kill(first);
    await publish(2);
    await share([second, third, ...rest], [1, 2]);
    const wake = await freeze(second);
    await publish(3);
    await share([third, ...rest], [1, 2, 3]);
    const goOn = await hang(third);
    await publish(4);
    await Promise.all(rest.map(noticesSilence));
    for (const page of rest) await shows(page, { channel: 'live', shown: [1, 2, 3, 4] });
    await goOn();
    await wake();
    await second.bringToFront();
    await publish(5);
    await share([second, third, ...rest], [1, 2, 3, 4, 5]);
  });
});
