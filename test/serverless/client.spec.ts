import { createClient } from '@gatehouse/client';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../support/eventually.js';
import { startFunction } from '../support/serverless-server.js';
import { connect } from '../support/test-client.js';
import { mintToken } from '../support/test-server.js';

describe('the client library with a function behind API Gateway', () => {
  it('hears of the limits of the host in hello, which is the answer to its first message', async () => {
    await using fn = await startFunction();
    await using client = await connect(fn.url);
    expect(await client.request('hello')).toMatchObject({
      data: {
        heartbeat: { intervalMs: 300_000 },
        connection: { idleMs: 600_000, maxAgeMs: 7_200_000 },
        limits: { maxMessageBytes: 32_768, messageRate: 0 },
      },
    });
  });

  it('shows publications once and in order, although API Gateway posts one after the next', async () => {
    await using fn = await startFunction();
    await using bob = await connect(fn.url, { claims: { sub: 'bob' } });
    const Socket = WebSocket as unknown as typeof globalThis.WebSocket;
    const client = createClient({ url: fn.url, token: () => mintToken({}), WebSocket: Socket });
    const shown: unknown[] = [];
    const channel = client.channel('room:order', { onMessage: ({ data }) => void shown.push(data) });
    await eventually('it is live', () => channel.getSnapshot().state === 'live');
    await bob.request('subscribe', { channel: 'room:order' });
    const publish = (data: number): void =>
      bob.send({ type: 'publish', id: data, data: { channel: 'room:order', data } });
    await publishAndWait(1);
    fn.gateway.swapsNext = true;
    await publishAndWait(2);
    await publishAndWait(3);
    await eventually('all are shown', () => shown.length >= 3);
    expect(shown).toEqual([1, 2, 3]);
    client.close();
    await fn.gateway.idle();

    async function publishAndWait(data: number): Promise<void> {
      publish(data);
      while ((await bob.next()).id !== data);
    }
  });
});
