import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { api } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { mintToken, startTestServer } from '../support/test-server.js';
import { read, section } from './markdown.js';

type Follow = (
  url: string,
  channels: readonly string[],
  callbacks: { show: (channel: string, publication: { data: unknown }) => void; onGap: () => void },
) => void;

/** The client of docs/channels.md, as it stands there: it has no names but its own and those of a browser. */
function documentedClient(sockets: WebSocket[]): Follow {
  const [, code = ''] = /```js\n([^]*?)```/.exec(section(read('docs/channels.md'), '## Recovery')) ?? [];
  class Noted extends WebSocket {
    constructor(url: string) {
      super(url);
      sockets.push(this);
    }
  }
  const soon = (connect: () => void): void => void setImmediate(connect);
  // eslint-disable-next-line no-implied-eval -- the code is of our own docs
  const make = new Function('WebSocket', 'setTimeout', `'use strict';\n${code}\nreturn follow;`) as (
    ...names: unknown[]
  ) => Follow;
  return make(Noted, soon);
}

it('the whole client of docs/channels.md shows every publication once and in order, over a lost connection too', async () => {
  await using server = await startTestServer();
  const sockets: WebSocket[] = [];
  const shown: unknown[] = [];
  let gaps = 0;
  const publish = (data: number) => api(server, 'POST /api/publish', { body: { channel: 'feed:news', data } });
  const subscribers = async (): Promise<unknown> => (await api(server, 'GET /api/channels')).body;
  const follow = documentedClient(sockets);
  follow(`${server.url}?token=${mintToken()}`, ['feed:news'], {
    show: (_channel, { data }) => void shown.push(data),
    onGap: () => void (gaps += 1),
  });
  await eventually('it has subscribed', async () => JSON.stringify(await subscribers()).includes('"subscribers":1'));
  await publish(1);
  await eventually('it has seen the first', () => shown.length === 1);
  sockets[0]?.terminate();
  await publish(2);
  await eventually('it has connected again', () => sockets.length === 2 && shown.length === 2);
  await publish(3);
  await eventually('it has seen the last', () => shown.length === 3);
  expect({ shown, gaps }).toEqual({ shown: [1, 2, 3], gaps: 0 });
  const last = sockets[1];
  if (last) last.onclose = null;
  last?.terminate();
});
