import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { RedisServer } from '../support/redis-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { connect, type Message, type TestClient } from '../support/test-client.js';
import { TestNodes } from '../support/test-nodes.js';

interface State {
  readonly epoch: string;
  readonly seq: number;
  readonly recovered: boolean;
  readonly publications: readonly { readonly seq: number; readonly data: unknown }[];
}

const stateOf = ({ data }: Message): State => data as State;
const user = (nodes: TestNodes, index: number, sub: string): Promise<TestClient> =>
  connect(nodes.at(index).url, { claims: { sub } });

/** The next message of a channel; answers are passed over. */
async function published(client: TestClient): Promise<Message> {
  for (;;) {
    const message = await client.next();
    if (message.type === 'message') return message;
  }
}

/** The answer to a publish; what comes before it is passed over. */
async function publish(client: TestClient, data: object): Promise<Message> {
  client.send({ type: 'publish', id: 'publish', data });
  for (;;) {
    const message = await client.next();
    if (message['id'] === 'publish') return message;
  }
}

describe('a channel over several nodes', () => {
  it('has one history and one order', async () => {
    await using nodes = await TestNodes.start(['a', 'b']);
    await using ann = await user(nodes, 0, 'ann');
    await using bob = await user(nodes, 1, 'bob');
    const { epoch } = stateOf(await ann.request('subscribe', { channel: 'room:x' }));
    expect(stateOf(await bob.request('subscribe', { channel: 'room:x' })).epoch).toBe(epoch);

    ann.send({ type: 'publish', data: { channel: 'room:x', data: 'from ann' } });
    expect(await bob.next()).toMatchObject({
      type: 'message',
      seq: 1,
      epoch,
      data: 'from ann',
      from: { userId: 'ann' },
    });
    bob.send({ type: 'publish', data: { channel: 'room:x', data: 'from bob' } });
    expect(await published(ann)).toMatchObject({ seq: 1, data: 'from ann' });
    expect(await published(ann)).toMatchObject({ seq: 2, data: 'from bob', from: { userId: 'bob' } });
  });

  it('brings a client that comes back to another node exactly what it missed', async () => {
    await using nodes = await TestNodes.start(['a', 'b']);
    const ann = await user(nodes, 0, 'ann');
    const { epoch, seq } = stateOf(await ann.request('subscribe', { channel: 'room:x' }));
    await ann[Symbol.asyncDispose]();
    await using bob = await user(nodes, 1, 'bob');
    await bob.request('subscribe', { channel: 'room:x' });
    for (let n = 1; n <= 3; n += 1) await bob.request('publish', { channel: 'room:x', data: n });

    await using again = await user(nodes, 1, 'ann');
    const state = stateOf(await again.request('subscribe', { channel: 'room:x', since: { epoch, seq } }));
    expect(state.recovered).toBe(true);
    expect(state.publications.map(({ data }) => data)).toEqual([1, 2, 3]);
  });

  it('keeps an idempotency key on every node', async () => {
    await using nodes = await TestNodes.start(['a', 'b']);
    await using ann = await user(nodes, 0, 'ann');
    await using annToo = await user(nodes, 1, 'ann');
    await using bob = await user(nodes, 1, 'bob');
    const once = { channel: 'room:x', data: 'once', idempotencyKey: 'k' };
    for (const client of [ann, annToo]) await client.request('subscribe', { channel: 'room:x' });
    const first = await publish(ann, once);
    expect((await publish(annToo, once)).data).toEqual(first.data);
    expect(stateOf(await bob.request('history', { channel: 'room:x' })).publications).toHaveLength(1);
  });

  it('keeps a client from its own message though it comes back elsewhere', async () => {
    await using nodes = await TestNodes.start(['a', 'b']);
    const ann = await user(nodes, 0, 'ann');
    const { sessionId } = (await ann.request('hello', {})).data as { sessionId: string };
    const { epoch, seq } = stateOf(await ann.request('subscribe', { channel: 'room:x' }));
    await ann.request('publish', { channel: 'room:x', data: 'mine', excludeSelf: true });
    await ann[Symbol.asyncDispose]();
    await using again = await user(nodes, 1, 'ann');
    const since = { channel: 'room:x', since: { epoch, seq }, previousSession: sessionId };
    expect(stateOf(await again.request('subscribe', since))).toMatchObject({
      recovered: true,
      publications: [],
      seq: 1,
    });
  });

  it('tells who is there, whichever node they are on, and joins and leaves once', async () => {
    await using nodes = await TestNodes.start(['a', 'b']);
    await using ann = await user(nodes, 0, 'ann');
    await ann.request('subscribe', { channel: 'room:x', presence: true });
    await using bob = await user(nodes, 1, 'bob');
    await bob.request('subscribe', { channel: 'room:x' });
    expect(await ann.next()).toMatchObject({ type: 'presence', data: { event: 'join', member: { userId: 'bob' } } });
    await using bobToo = await user(nodes, 0, 'bob');
    await bobToo.request('subscribe', { channel: 'room:x' });
    const { members } = (await bob.request('presence', { channel: 'room:x' })).data as {
      members: { userId: string }[];
    };
    expect(members.map(({ userId }) => userId).toSorted()).toEqual(['ann', 'bob', 'bob']);
    await bob.request('unsubscribe', { channel: 'room:x' });
    await bobToo.request('unsubscribe', { channel: 'room:x' });
    expect(await ann.next()).toMatchObject({ type: 'presence', data: { event: 'leave', member: { userId: 'bob' } } });
  });

  it('does not tell a client of its own join', async () => {
    await using nodes = await TestNodes.start(['a', 'b']);
    await using bob = await user(nodes, 0, 'bob');
    await bob.request('subscribe', { channel: 'room:x', presence: true });
    await using ann = await user(nodes, 0, 'ann');
    await ann.request('subscribe', { channel: 'room:x', presence: true });
    await using carol = await user(nodes, 1, 'carol');
    await carol.request('subscribe', { channel: 'room:x' });
    expect((await ann.next()).data).toEqual({ event: 'join', member: { userId: 'carol' } });
    expect((await bob.next()).data).toEqual({ event: 'join', member: { userId: 'ann' } });
  });

  it('costs a node without subscribers nothing: it is not even told', async () => {
    await using nodes = await TestNodes.start(['a', 'b']);
    await using ann = await user(nodes, 0, 'ann');
    await ann.request('subscribe', { channel: 'room:x' });
    const redis = new Redis(nodes.redis.url);
    const listeners = (await redis.call('PUBSUB', 'NUMSUB', 'gatehouse:{room:x}')) as [string, number];
    redis.disconnect();
    expect(listeners[1]).toBe(1);
  });
});

describe('when Redis is gone', () => {
  it('what is kept is refused with the time to retry, what is not reaches those on the node; then all goes on', async () => {
    await using redis = await RedisServer.start();
    await using proxy = await TcpProxy.start(redis.port);
    await using nodes = await TestNodes.start(['a', 'b'], { REDIS_URL: `redis://127.0.0.1:${proxy.port}` });
    await using ann = await user(nodes, 0, 'ann');
    await using bob = await user(nodes, 0, 'bob');
    await using eve = await user(nodes, 1, 'eve');
    for (const client of [ann, bob, eve]) {
      await client.request('subscribe', { channel: 'room:x' });
      await client.request('subscribe', { channel: 'telemetry:t' });
    }
    redis.signal('SIGSTOP');
    const refusal = { type: 'error', code: 'SERVER_BUSY', retryAfter: expect.any(Number) as number };
    const first = ann.request('publish', { channel: 'room:x', data: 1 });
    await bob.request('echo', 'the publication is on its way');
    proxy.refuses = true;
    proxy.cut();
    expect(await first).toMatchObject(refusal);
    ann.send({ type: 'publish', data: { channel: 'telemetry:t', data: 'local' } });
    expect(await bob.next()).toMatchObject({ type: 'message', channel: 'telemetry:t', data: 'local' });
    expect(await bob.request('subscribe', { channel: 'room:other' })).toMatchObject(refusal);

    redis.signal('SIGCONT');
    proxy.refuses = false;
    // Whether the one that was refused was made all the same nobody knows; this one is made once, however often it is sent.
    const back = { channel: 'room:x', data: 'back', idempotencyKey: 'back' };
    await expect.poll(async () => (await publish(ann, back)).type).toBe('publish_reply');
    const seen = [await published(eve)];
    while (seen.at(-1)?.data !== 'back') seen.push(await published(eve));
    expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, index) => index + 1));
  });
});
