import { describe, expect, it } from 'vitest';
import { ChannelHub, LINGER_MS } from '../../src/channels/channel-hub.js';
import { PRESENCE_GRACE_MS, PresenceTracker } from '../../src/channels/presence/presence-tracker.js';
import { eventually } from '../support/eventually.js';
import { SOAK_TIMES } from '../support/soak.js';
import { connect, type TestClient } from '../support/test-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

const SUBSCRIBERS = 100 * SOAK_TIMES;

const ROOM = { channel: 'room:lobby' };

function parts({ app }: TestServer) {
  return { hub: app.get(ChannelHub, { strict: false }), tracker: app.get(PresenceTracker, { strict: false }) };
}

/** As if the grace of everyone who is gone by now had ended. */
const endGrace = (server: TestServer) => parts(server).tracker.letGo(performance.now() + PRESENCE_GRACE_MS);

async function watcher(server: TestServer): Promise<TestClient> {
  const client = await connect(server.url, { claims: { sub: 'watcher' } });
  await client.request('subscribe', { ...ROOM, presence: true });
  return client;
}

async function bob(server: TestServer): Promise<TestClient> {
  const client = await connect(server.url, { claims: { sub: 'bob' } });
  await client.request('subscribe', ROOM);
  return client;
}

const count = async (client: TestClient) => ((await client.request('presence', ROOM)).data as { count: number }).count;
const event = (name: string, userId = 'bob') => ({ type: 'presence', data: { event: name, member: { userId } } });

describe('presence', () => {
  it('tells once of a user that comes with several sessions and goes with the last', async () => {
    await using server = await startTestServer();
    await using alice = await watcher(server);
    await using first = await bob(server);
    await using second = await bob(server);
    expect(await alice.next()).toMatchObject(event('join'));
    expect(await count(alice)).toBe(3);
    await first.request('subscribe', ROOM);
    await first.request('unsubscribe', ROOM);
    expect(await count(alice)).toBe(2);
    await second.request('unsubscribe', ROOM);
    expect(await alice.next()).toMatchObject(event('leave'));
  });

  it('does not flap where a client reconnects, and ends after the grace where it does not', async () => {
    await using server = await startTestServer();
    await using alice = await watcher(server);
    const before = await bob(server);
    expect(await alice.next()).toMatchObject(event('join'));
    await before[Symbol.asyncDispose]();
    const after = await bob(server);
    expect(await count(alice)).toBe(2);
    await endGrace(server);
    expect(await count(alice)).toBe(2);
    await after[Symbol.asyncDispose]();
    await eventually('bob is a member', async () => {
      await endGrace(server);
      return (await alice.request('ping')).type === 'presence';
    });
  });

  it('does not tell those who have not asked, and nothing before the reply', async () => {
    await using server = await startTestServer();
    await using silent = await bob(server);
    await using alice = await watcher(server);
    expect(await silent.request('ping')).toMatchObject({ type: 'ping_reply' });
    await silent.request('subscribe', { ...ROOM, presence: true });
    await using carol = await connect(server.url, { claims: { sub: 'carol' } });
    await carol.request('subscribe', ROOM);
    expect(await silent.next()).toMatchObject(event('join', 'carol'));
    expect(await alice.next()).toMatchObject(event('join', 'carol'));
    await silent.request('unsubscribe', ROOM);
    await carol.request('unsubscribe', ROOM);
    expect(await silent.request('ping')).toMatchObject({ type: 'ping_reply' });
  });

  it('is refused where the namespace has none', async () => {
    await using server = await startTestServer();
    await using client = await connect(server.url);
    expect(await client.request('presence', { channel: 'feed:a' })).toMatchObject({ code: 'FORBIDDEN' });
    expect(await client.request('subscribe', { channel: 'feed:a', presence: true })).toMatchObject({
      type: 'subscribe_reply',
    });
  });
});

describe('a client that subscribes and unsubscribes on and on', () => {
  it('is told of at the rate of PRESENCE_RATE, and is not refused', async () => {
    await using server = await startTestServer({ PRESENCE_RATE: '1' });
    await using alice = await watcher(server);
    await using flapping = await connect(server.url, { claims: { sub: 'bob' } });
    const startedAt = performance.now();
    for (let n = 0; n < 50; n += 1) {
      expect(await flapping.request('subscribe', ROOM)).toMatchObject({ type: 'subscribe_reply' });
      expect(await flapping.request('unsubscribe', ROOM)).toMatchObject({ type: 'unsubscribe_reply' });
    }
    const seconds = (performance.now() - startedAt) / 1_000;
    await alice.request('ping');
    const events = [...alice.unread, { type: 'presence' }].filter(({ type }) => type === 'presence');
    expect(events.length).toBeLessThan(4 + 2 * seconds + 4);
  });
});

describe('a session that has closed', () => {
  it('leaves nothing: no subscription, no presence, and no interest at the broker', async () => {
    await using server = await startTestServer();
    const { hub, tracker } = parts(server);
    for (let n = 0; n < 20; n += 1) {
      await using client = await connect(server.url);
      for (const channel of ['room:a', 'feed:a', 'telemetry:a'])
        await client.request('subscribe', { channel, presence: true });
    }
    await using alice = await connect(server.url);
    await eventually('nobody is subscribed', () => hub.get('room:a' as never)?.subscriptions.size === 0);
    expect(hub.size).toBe(4);
    hub.tick(performance.now() + LINGER_MS);
    expect(hub.size).toBe(0);
    await tracker.letGo(performance.now() + PRESENCE_GRACE_MS);
    expect(await alice.request('presence', { channel: 'room:a' })).toMatchObject({ data: { count: 0, members: [] } });
  });
});

describe(`${SUBSCRIBERS} subscribers`, () => {
  it('all get what one publishes, in order', async () => {
    await using server = await startTestServer();
    const clients = await Promise.all(
      Array.from({ length: SUBSCRIBERS }, (_, n) => connect(server.url, { claims: { sub: `user ${n}` } })),
    );
    await Promise.all(clients.map((client) => client.request('subscribe', { channel: 'feed:a' })));
    await using writer = await connect(server.url, { claims: { sub: 'writer', roles: ['ADMIN'] } });
    for (let n = 1; n <= 10; n += 1) await writer.request('publish', { channel: 'feed:a', data: n });
    const seen = await Promise.all(
      clients.map(async (client) => {
        const numbers: unknown[] = [];
        while (numbers.length < 10) numbers.push((await client.next()).data);
        return numbers.join(' ');
      }),
    );
    expect(new Set(seen)).toEqual(new Set(['1 2 3 4 5 6 7 8 9 10']));
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
  });
});
