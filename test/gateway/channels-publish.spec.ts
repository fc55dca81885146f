import { describe, expect, it } from 'vitest';
import { ChannelHub } from '../../src/channels/channel-hub.js';
import { Channels } from '../../src/channels/channels.js';
import { namespacesFile } from '../support/namespaces-file.js';
import { Scrape } from '../support/scrape.js';
import { StoppedClock } from '../support/stopped-clock.js';
import { connect, type TestClient } from '../support/test-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

const OPEN = 'subscribe: anyone, publish: anyone';
const KIB = 1024;
const DROPPED = (reason: string): string => `websocket_dropped_messages_total{reason="${reason}"}`;

async function publish(server: TestServer, name: string, request: { data: unknown; ttlMs?: number }): Promise<void> {
  const channels = server.app.get(Channels, { strict: false });
  await channels.publish(channels.named(name), request);
}

describe('an idempotency key', () => {
  it('has a message published once, though the client asks again after a reconnect', async () => {
    await using server = await startTestServer();
    await using reader = await connect(server.url, { claims: { sub: 'bob' } });
    await reader.request('subscribe', { channel: 'telemetry:a' });
    const request = { channel: 'telemetry:a', data: 'once', idempotencyKey: 'k' };
    for (let n = 0; n < 2; n += 1) {
      await using writer = await connect(server.url);
      expect(await writer.request('publish', request)).toMatchObject({ type: 'publish_reply' });
    }
    expect((await reader.next()).data).toBe('once');
    expect(await reader.request('ping')).toMatchObject({ type: 'ping_reply' });
  });

  it('is answered with the position that the message has', async () => {
    await using server = await startTestServer();
    await using client = await connect(server.url, { claims: { roles: ['ADMIN'] } });
    const request = { channel: 'feed:a', data: 'once', idempotencyKey: 'k' };
    const first = await client.request('publish', request);
    await client.request('publish', { channel: 'feed:a', data: 'between' });
    expect((await client.request('publish', request)).data).toEqual(first.data);
  });

  it('is a user’s own: what another chooses swallows nothing', async () => {
    await using server = await startTestServer();
    for (const [sub, idempotencyKey] of [
      ['al', 'ice:1'],
      ['alice', ':1'],
      ['bob', 'ice:1'],
    ]) {
      await using client = await connect(server.url, { claims: { sub, roles: ['ADMIN'] } });
      await client.request('publish', { channel: 'feed:a', data: sub, idempotencyKey });
    }
    await using client = await connect(server.url);
    expect(await client.request('history', { channel: 'feed:a' })).toMatchObject({ data: { seq: 3 } });
  });
});

describe('the limits of a namespace', () => {
  it('are for the size of a message and its rate', async () => {
    using file = namespacesFile({ small: `${OPEN}, max_message_bytes: 200`, slow: `${OPEN}, publish_rate: 2` });
    using _ = new StoppedClock();
    await using server = await startTestServer(file.environment);
    await using client = await connect(server.url);
    const say = (channel: string, data: unknown) => client.request('publish', { channel, data });
    expect(await say('small:a', 'x')).toMatchObject({ type: 'publish_reply' });
    expect(await say('small:a', 'x'.repeat(200))).toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    expect(await say('slow:a', 'x'.repeat(200))).toMatchObject({ type: 'publish_reply' });
    expect(await say('slow:b', 1)).toMatchObject({ type: 'publish_reply' });
    const refused = await say('slow:a', 1);
    expect(refused).toMatchObject({ code: 'RATE_LIMIT_EXCEEDED' });
    expect(refused['retryAfter']).toBeGreaterThan(0);
    await using other = await connect(server.url);
    expect(await other.request('publish', { channel: 'slow:a', data: 1 })).toMatchObject({ type: 'publish_reply' });
  });

  it('are for subscribers of a channel; whoever is in may ask again, and a place that is left is free', async () => {
    using file = namespacesFile({ duo: `${OPEN}, max_subscribers: 2` });
    await using server = await startTestServer(file.environment);
    const clients: TestClient[] = [];
    for (let n = 0; n < 3; n += 1) clients.push(await connect(server.url));
    const enter = (n: number) => clients[n]?.request('subscribe', { channel: 'duo:a' });
    expect([(await enter(0))?.type, (await enter(1))?.type]).toEqual(['subscribe_reply', 'subscribe_reply']);
    expect(await enter(2)).toMatchObject({ code: 'CHANNEL_LIMIT_REACHED' });
    expect(await enter(1)).toMatchObject({ type: 'subscribe_reply' });
    await clients[0]?.request('unsubscribe', { channel: 'duo:a' });
    expect(await enter(2)).toMatchObject({ type: 'subscribe_reply' });
    for (const client of clients) await client[Symbol.asyncDispose]();
  });

  it('are for the channels of a session; presence events take no place', async () => {
    await using server = await startTestServer({ MAX_CHANNELS_PER_SESSION: '2' });
    await using client = await connect(server.url);
    const enter = (channel: string) => client.request('subscribe', { channel, presence: true });
    for (const channel of ['room:a', 'room:b', 'room:a'])
      expect(await enter(channel)).toMatchObject({ type: 'subscribe_reply' });
    expect(await enter('room:c')).toMatchObject({ code: 'CHANNEL_LIMIT_REACHED' });
    await client.request('unsubscribe', { channel: 'room:a' });
    expect(await enter('room:c')).toMatchObject({ type: 'subscribe_reply' });
    expect(server.app.get(ChannelHub, { strict: false }).size).toBeLessThanOrEqual(6);
  });
});

describe('a message with a time to live', () => {
  it('is not replayed once it has expired, which is no gap', async () => {
    using clock = new StoppedClock();
    await using server = await startTestServer();
    await using client = await connect(server.url, { claims: { roles: ['ADMIN'] } });
    const state = await client.request('publish', { channel: 'feed:a', data: 'brief', ttlMs: 30 });
    await client.request('publish', { channel: 'feed:a', data: 'lasting', ttlMs: 60_000 });
    clock.pass(30);
    const { epoch } = state.data as { epoch: string };
    const lasting = [{ seq: 2, data: 'lasting' }];
    expect(await client.request('subscribe', { channel: 'feed:a', since: { epoch, seq: 0 } })).toMatchObject({
      data: { recovered: true, seq: 2, publications: lasting },
    });
    expect(await client.request('history', { channel: 'feed:a' })).toMatchObject({ data: { publications: lasting } });
  });

  it.each(['disconnect', 'drop_oldest'])(
    'is dropped and counted where a slow reader would get it late: %s',
    async (delivery) => {
      using file = namespacesFile({ log: `${OPEN}, history: { size: 1000, age: 1m }, delivery: ${delivery}` });
      using clock = new StoppedClock();
      await using server = await startTestServer({
        ...file.environment,
        OUTBOUND_QUEUE_BYTES: String(64 * 1024 * KIB),
      });
      await using client = await connect(server.url);
      await client.request('subscribe', { channel: 'log:a' });
      client.socket.pause();
      const filling = 'x'.repeat(256 * KIB);
      for (let n = 0; n < 60; n += 1) {
        await publish(server, 'log:a', { data: filling });
        await new Promise(setImmediate);
      }
      const before = await Scrape.of(server);
      await publish(server, 'log:a', { data: 'brief', ttlMs: 20 });
      await publish(server, 'log:a', { data: 'last' });
      clock.pass(20);
      client.socket.resume();
      const seqs: unknown[] = [];
      for (let data: unknown; data !== 'last';) {
        const message = await client.next();
        ({ data } = message);
        seqs.push(message['seq']);
      }
      expect(seqs).toEqual([...Array.from({ length: 60 }, (_, n) => n + 1), 62]);
      expect((await Scrape.of(server)).since(before, DROPPED('expired'))).toBe(1);
    },
  );
});

describe('a slow reader', () => {
  async function flood(delivery: string) {
    using file = namespacesFile({ log: `${OPEN}, delivery: ${delivery}` });
    await using server = await startTestServer({ ...file.environment, OUTBOUND_QUEUE_BYTES: String(512 * KIB) });
    await using slow = await connect(server.url);
    await slow.request('subscribe', { channel: 'log:a' });
    slow.socket.pause();
    const before = await Scrape.of(server);
    for (let n = 1; n <= 300; n += 1) {
      await publish(server, 'log:a', { data: { n, filling: 'x'.repeat(64 * KIB) } });
      await new Promise(setImmediate);
    }
    const after = await Scrape.of(server);
    slow.socket.resume();
    const dropped = ['latest', 'drop_oldest', 'slow_consumer'].filter(
      (reason) => after.since(before, DROPPED(reason)) > 0,
    );
    if (delivery === 'disconnect') return { dropped, closed: await slow.closed, numbers: [] };
    const numbers: number[] = [];
    while (numbers.at(-1) !== 300) numbers.push(((await slow.next()).data as { n: number }).n);
    expect(await slow.request('ping')).toMatchObject({ type: 'ping_reply' });
    return { dropped, closed: undefined, numbers };
  }

  it('is cut off where the namespace says disconnect', async () => {
    expect(await flood('disconnect')).toMatchObject({ dropped: ['slow_consumer'], closed: { code: 4008 } });
  });

  it('loses the oldest where it says drop_oldest, and gets the last ones in order', async () => {
    const { dropped, numbers } = await flood('drop_oldest');
    expect(dropped).toEqual(['drop_oldest']);
    expect(numbers.length).toBeLessThan(300);
    expect(numbers).toEqual([...numbers].sort((one, other) => one - other));
    expect(numbers.slice(-3)).toEqual([298, 299, 300]);
  });

  it('gets only the newest of what waited where it says latest', async () => {
    const { dropped, numbers } = await flood('latest');
    expect(dropped).toEqual(['latest']);
    expect(numbers.at(-1)).toBe(300);
    expect(numbers.at(-2)).toBeLessThan(299);
  });
});
