import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { openPage } from '../support/browser-page.js';
import { serveClientPage } from '../support/client-page.js';
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
});
