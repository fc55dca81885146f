import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { expect, it } from 'vitest';
import { createClient } from '../src/index.js';
import { GatehouseProvider, useChannel, useConnection, usePresence } from '../src/react.js';
import { useChannelState } from '../src/state-react.js';
import { TestServer } from '../src/testing.js';

function Room() {
  const { state } = useConnection();
  const { state: channel } = useChannel('room:lobby');
  const members = usePresence('room:lobby');
  const { values } = useChannelState('twin:line-1');
  const shown = { state, channel, members: members ?? null, keys: values.size };
  return createElement('p', null, JSON.stringify(shown).replaceAll('"', ''));
}

it('renders on a server and connects to nothing', async () => {
  const server = new TestServer();
  const client = createClient({ url: 'ws://test/ws', ...server.environment });
  const html = renderToString(createElement(GatehouseProvider, { client }, createElement(Room)));
  await server.clock.advance(1_000);
  expect(html).toBe('<p>{state:idle,channel:waiting,members:null,keys:0}</p>');
  expect(server.attempts).toEqual([]);
});

it('says so where there is no provider', () => {
  expect(() => renderToString(createElement(Room))).toThrow('There is no GatehouseProvider');
});
