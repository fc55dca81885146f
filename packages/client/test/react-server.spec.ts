import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { expect, it } from 'vitest';
import { createClient } from '../src/index.js';
import { GatehouseProvider, useChannel, useConnection, usePresence } from '../src/react.js';
import { TestServer } from '../src/testing.js';

function Room() {
  const { state } = useConnection();
  const { state: channel } = useChannel('room:lobby');
  const members = usePresence('room:lobby');
  return createElement('p', null, JSON.stringify({ state, channel, members: members ?? null }).replaceAll('"', ''));
}

it('renders on a server and connects to nothing', async () => {
  const server = new TestServer();
  const client = createClient({ url: 'ws://test/ws', ...server.environment });
  const html = renderToString(createElement(GatehouseProvider, { client }, createElement(Room)));
  await server.clock.advance(1_000);
  expect(html).toBe('<p>{state:idle,channel:waiting,members:null}</p>');
  expect(server.attempts).toEqual([]);
});

it('says so where there is no provider', () => {
  expect(() => renderToString(createElement(Room))).toThrow('There is no GatehouseProvider');
});
