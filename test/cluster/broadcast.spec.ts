import { Redis } from 'ioredis';
import { describe, expect, it, vi } from 'vitest';
import { Broadcaster } from '../../src/broadcast/broadcaster.js';
import { ClusterEvents } from '../../src/cluster/ports/cluster-events.js';
import { CODECS } from '../../src/protocol/codecs/subprotocols.js';
import { eventually } from '../support/eventually.js';
import { connect, type TestClient } from '../support/test-client.js';
import { TestNodes } from '../support/test-nodes.js';

function user(nodes: TestNodes, index: number, sub: string, roles: readonly string[] = []): Promise<TestClient> {
  return connect(nodes.at(index).url, { claims: { sub, roles } });
}

function sessionOf(nodes: TestNodes, index: number, userId: string) {
  const [session] = nodes.sessions(index).ofUser(userId);
  if (session === undefined) throw new Error(`${userId} is not there`);
  return session;
}

/** What a client got until now: all that lies before a mark that is sent to everyone last. */
async function received(client: TestClient): Promise<unknown[]> {
  const data: unknown[] = [];
  for (let message = await client.next(); message.type !== 'mark'; message = await client.next()) {
    data.push(message['data']);
  }
  return data;
}

describe('a broadcast', () => {
  it('reaches everyone, a user, a session, a role on every node; without those excepted', async () => {
    await using nodes = await TestNodes.start(['a', 'b', 'c']);
    await using ann = await user(nodes, 0, 'ann', ['MEMBER']);
    await using bob = await user(nodes, 1, 'bob', ['MEMBER']);
    await using bobToo = await user(nodes, 2, 'bob');
    const broadcaster = nodes.get(0, Broadcaster);
    const there = sessionOf(nodes, 1, 'bob');

    const counts = [
      broadcaster.toEveryone().emit('m', 'everyone'),
      broadcaster.toUser('bob').emit('m', 'bob'),
      broadcaster.toSession(there.id).emit('m', 'session'),
      broadcaster.toRole('MEMBER').emit('m', 'members'),
      broadcaster.toEveryone().except(there).emit('m', 'not the one'),
      broadcaster.toEveryone().emit('mark'),
    ];
    // Of this node alone: it waits for nobody.
    expect(counts).toEqual([1, 0, 0, 1, 1, 1]);
    expect(await received(ann)).toEqual(['everyone', 'members', 'not the one']);
    expect(await received(bob)).toEqual(['everyone', 'bob', 'session', 'members']);
    expect(await received(bobToo)).toEqual(['everyone', 'bob', 'not the one']);
  });

  it('of a client comes with its name to every codec, and is encoded once a codec and node', async () => {
    await using nodes = await TestNodes.start(['a', 'b']);
    await using ann = await user(nodes, 0, 'ann');
    const others = await Promise.all(Array.from({ length: 4 }, (_, n) => user(nodes, 1, `user-${n}`)));
    await using binary = await connect(nodes.at(1).url, { claims: { sub: 'bin' }, protocols: ['v1.binary'] });
    const encode = vi.spyOn(CODECS['v1.json'], 'encode');
    const { id } = sessionOf(nodes, 0, 'ann');
    ann.send({ type: 'broadcast', data: { text: 'hi', big: 2 ** 40 } });
    const message = { type: 'broadcast', from: { userId: 'ann', sessionId: id }, data: { text: 'hi', big: 2 ** 40 } };
    for (const client of [ann, ...others]) expect(await client.next()).toEqual({ v: 1, ...message });
    expect((await binary.next()).type).toBe('binary');
    expect(encode.mock.calls.filter(([{ type }]) => type === 'broadcast')).toHaveLength(2);
    vi.restoreAllMocks();
    await Promise.all(others.map((client) => client[Symbol.asyncDispose]()));
  });

  it('is refused at once where its data cannot be encoded, and nobody gets anything', async () => {
    await using nodes = await TestNodes.start(['a', 'b']);
    await using bob = await user(nodes, 1, 'bob');
    const broadcaster = nodes.get(0, Broadcaster);
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    expect(() => broadcaster.toEveryone().emit('m', cycle)).toThrow(RangeError);
    expect(() => broadcaster.toUser('bob').emit('m', () => 1)).toThrow(TypeError);
    await expect(broadcaster.toEveryone().deliver('m', new Map())).rejects.toThrow(TypeError);
    broadcaster.toEveryone().emit('mark');
    expect(await received(bob)).toEqual([]);
  });

  it('reaches this node while Redis is away, and all again when it is back', async () => {
    await using nodes = await TestNodes.start(['a', 'b']);
    await using ann = await user(nodes, 0, 'ann');
    await using bob = await user(nodes, 1, 'bob');
    const broadcaster = nodes.get(0, Broadcaster);
    const lost: string[] = [];
    nodes.get(0, ClusterEvents).on('lost', (what) => lost.push(what));
    await nodes.redis.kill();
    await eventually('the loss is noticed', () => {
      broadcaster.toUser('bob').emit('m', 'lost');
      return lost.includes('word');
    });
    expect(broadcaster.toEveryone().emit('m', 'here')).toBe(1);
    expect(await ann.next()).toMatchObject({ data: 'here' });
    expect(await broadcaster.toEveryone().deliver('m', 'counted')).toBe(1);
    expect(await ann.next()).toMatchObject({ data: 'counted' });

    await nodes.redis.restart();
    await eventually('bob hears again', () => {
      broadcaster.toUser('bob').emit('m', 'back');
      return bob.unread.some(({ data }) => data === 'back');
    });
    expect(bob.unread.some(({ data }) => data === 'here')).toBe(false);
  });
});

describe('send_message', () => {
  it('reaches every session of the user on every node, and says how many', async () => {
    await using nodes = await TestNodes.start(['a', 'b', 'c']);
    await using ann = await user(nodes, 0, 'ann');
    const bobs = await Promise.all([0, 1, 1, 2].map((index) => user(nodes, index, 'bob')));
    expect(await ann.request('send_message', { targetUserId: 'bob', message: 'psst' })).toMatchObject({
      type: 'send_message_reply',
      data: { sessions: 4 },
    });
    const { id } = sessionOf(nodes, 0, 'ann');
    const data = { from: { userId: 'ann', sessionId: id }, message: 'psst' };
    for (const bob of bobs) expect(await bob.next()).toMatchObject({ type: 'direct_message', data });
    await Promise.all(bobs.map((bob) => bob[Symbol.asyncDispose]()));
    expect(await ann.request('send_message', { targetUserId: 'nobody', message: 1 })).toMatchObject({
      data: { sessions: 0 },
    });
  });

  it('reaches a guest of another node, whose name only it knows', async () => {
    await using nodes = await TestNodes.start(['a', 'b'], { AUTH_MODE: 'off' });
    await using here = await connect(nodes.at(0).url, { claims: false });
    await using there = await connect(nodes.at(1).url, { claims: false });
    const { userId } = [...nodes.sessions(1)][0] ?? {};
    expect(await here.request('send_message', { targetUserId: userId, message: 1 })).toMatchObject({
      data: { sessions: 1 },
    });
    expect(await there.next()).toMatchObject({ type: 'direct_message' });
  });

  it('reaches also a session that nobody has counted', async () => {
    await using nodes = await TestNodes.start(['a', 'b', 'c']);
    await using bob = await user(nodes, 1, 'bob');
    await using ann = await user(nodes, 0, 'ann');
    const redis = new Redis(nodes.redis.url);
    expect(await redis.del('gatehouse:{user:bob}:places')).toBe(1);
    redis.disconnect();
    await ann.request('send_message', { targetUserId: 'bob', message: 1 });
    expect(await bob.next()).toMatchObject({ type: 'direct_message' });
  });
});
