import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { Channels } from '../../src/channels/channels.js';
import { openPage } from '../support/browser-page.js';
import { serveClientPage } from '../support/client-page.js';
import { namespacesFile } from '../support/namespaces-file.js';
import { connect } from '../support/test-client.js';
import { mintToken, startTestServer } from '../support/test-server.js';

/** A page with a room, mounted twice as React does in development. */
const APPLICATION = `
import { StrictMode, createElement, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { createClient } from './src/index.js';
import { GatehouseProvider, useChannel, useConnection, usePresence, useRequest } from './src/react.js';

function Room() {
  const { state } = useConnection();
  const [messages, setMessages] = useState([]);
  const members = usePresence('room:lobby')?.map(({ userId }) => userId);
  const channel = useChannel('room:lobby', { onMessage: ({ data }) => setMessages((all) => [...all, data]) });
  const { send, reply, error } = useRequest('echo');
  Object.assign(window, { publish: channel.publish, send });
  const shown = { state, messages, members, channel: channel.state, reply, error: error?.code };
  return createElement('pre', { id: 'room' }, JSON.stringify(shown));
}

window.start = (url, token) => {
  const client = createClient({ url, token: () => token });
  const root = createRoot(document.querySelector('#root'));
  root.render(createElement(StrictMode, null, createElement(GatehouseProvider, { client }, createElement(Room))));
  Object.assign(window, { client, root });
};
`;

/** A map whose box a test moves. */
const MAP = `
import { StrictMode, createElement, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { createClient } from './src/index.js';
import { GatehouseProvider } from './src/react.js';
import { useChannelState } from './src/state-react.js';

function Map() {
  const [area, look] = useState([10.2, 10.2, 10.8, 10.8]);
  const { state, values, error, channel } = useChannelState('fleet:oslo', { area });
  Object.assign(window, { look, set: channel?.set.bind(channel) });
  const shown = { state, keys: [...values.keys()].sort(), error: error?.code ?? null };
  return createElement('pre', { id: 'room' }, JSON.stringify(shown));
}

window.start = (url, token) => {
  const client = createClient({ url, token: () => token });
  const root = createRoot(document.querySelector('#root'));
  root.render(createElement(StrictMode, null, createElement(GatehouseProvider, { client }, createElement(Map))));
  Object.assign(window, { client, root });
};
`;

/** What the page shows once it fits. */
async function shows(page: Page, part: Record<string, unknown>): Promise<void> {
  await expect.poll(async () => JSON.parse((await page.textContent('#room')) ?? '{}') as unknown).toMatchObject(part);
}

describe('@gatehouse/client/react in a browser', { tags: ['chromium'] }, () => {
  it('shows each publication once under StrictMode, over a restart of the connection, and leaves the channel', async () => {
    await using server = await startTestServer();
    await using other = await connect(server.url, { claims: { sub: 'bob' } });
    await other.request('subscribe', { channel: 'room:lobby' });
    await using site = await serveClientPage(APPLICATION);
    await using browser = await openPage();
    const { page } = browser;
    await page.goto(site.url);
    await page.waitForFunction('window.start !== undefined');
    await page.evaluate(`start(${JSON.stringify(server.url)}, ${JSON.stringify(mintToken())})`);
    await shows(page, { state: 'open', channel: 'live', messages: [], members: ['bob', 'alice'] });
    await page.evaluate(`publish('one')`);
    await shows(page, { messages: ['one'] });
    await page.evaluate(`send('hi')`);
    await shows(page, { reply: 'hi' });
    // As the browser tells a page that it puts away and takes out again.
    await page.evaluate(`dispatchEvent(new Event('pagehide'))`);
    await shows(page, { state: 'waiting', channel: 'waiting' });
    other.send({ type: 'publish', id: 'two', data: { channel: 'room:lobby', data: 'two' } });
    await page.evaluate(`dispatchEvent(new Event('pageshow'))`);
    await shows(page, { state: 'open', channel: 'live', messages: ['one', 'two'] });
    await page.evaluate('root.unmount()');
    await page.waitForFunction(
      `client.request('publish', { channel: 'room:lobby' }).then(() => false, ({ code }) => code === 'NOT_SUBSCRIBED')`,
    );
  });

  it('shows the keys in the area of useChannelState, which moves with each render', async () => {
    using file = namespacesFile({
      fleet:
        'subscribe: anyone, publish: anyone, history: { size: 9, age: 1m }, ' +
        'state: { tick: 1ms, area: { fields: [lat, lon], cell: 1, max_cells: 25 } }',
    });
    await using server = await startTestServer(file.environment);
    const state = server.app.get(Channels, { strict: false }).state('fleet:oslo');
    for (const n of [10, 11, 20]) await state.set(`bus ${n}`, { lat: 10.5, lon: n + 0.5 });
    await using site = await serveClientPage(MAP);
    await using browser = await openPage();
    const { page } = browser;
    await page.goto(site.url);
    await page.waitForFunction('window.start !== undefined');
    await page.evaluate(`start(${JSON.stringify(server.url)}, ${JSON.stringify(mintToken())})`);
    await shows(page, { state: 'live', keys: ['bus 10', 'bus 11'], error: null });
    await page.evaluate('look([10.2, 20.2, 10.8, 20.8])');
    await shows(page, { state: 'live', keys: ['bus 20'] });
    await page.evaluate(`set('bus 21', { lat: 10.5, lon: 21.5 })`);
    await shows(page, { keys: ['bus 20', 'bus 21'] });
    // Too large: it stays where it is, and the next box is looked at.
    await page.evaluate('look([-90, -180, 90, 180])');
    await page.evaluate('look([10.2, 10.2, 10.8, 10.9])');
    await shows(page, { state: 'live', keys: ['bus 10', 'bus 11'] });
    await page.evaluate('root.unmount()');
    await page.waitForFunction(
      `client.request('area.next', { channel: 'fleet:oslo' }).then(() => false, ({ code }) => code === 'NOT_SUBSCRIBED')`,
    );
  });
});
