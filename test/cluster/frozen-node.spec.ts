import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { connect, type Message, type TestClient } from '../support/test-client.js';
import { TestNodes } from '../support/test-nodes.js';

const ROOM = 'room:lobby';

/** The join and leave events among the messages of a client, until the join of a user is among them. */
async function eventsUntilJoinOf(userId: string, client: TestClient): Promise<string[]> {
  const events: string[] = [];
  while (!events.includes(`${userId} join`)) {
    const { type, data }: Message = await client.next();
    const { event, member } = data as { event: string; member: { userId: string } };
    if (type === 'presence') events.push(`${member.userId} ${event}`);
  }
  return events;
}

/** As if a node had not reported for longer than a lease: the next report of another one gives it up. */
async function loseLease(redis: Redis, incarnation: string): Promise<void> {
  await redis.hset('gatehouse:{nodes}:clock', 'since', 1);
  await redis.zadd('gatehouse:{nodes}:beats', 'XX', 1, incarnation);
}

it('a user whose node is given up and comes back is not told of its own leave and join; others are', async () => {
  await using nodes = await TestNodes.start(['frozen', 'other']);
  const as = (index: number, sub: string) => connect(nodes.at(index).url, { claims: { sub } });
  await using bob = await as(0, 'bob');
  await bob.request('subscribe', { channel: ROOM, presence: true });
  await using observer = await as(1, 'observer');
  await observer.request('subscribe', { channel: ROOM, presence: true });
  expect(await bob.next()).toMatchObject({ type: 'presence', data: { event: 'join', member: { userId: 'observer' } } });

  const { incarnation } = nodes.registryOf(nodes.at(0)).self;
  const redis = new Redis(nodes.redis.url);
  const seen = eventsUntilJoinOf('bob', observer);
  await eventually('another node gives it up', async () => {
    await loseLease(redis, incarnation);
    return nodes.registryOf(nodes.at(0)).self.incarnation !== incarnation;
  });
  redis.disconnect();
  expect(await seen).toEqual(['bob leave', 'bob join']);

  await using carol = await as(1, 'carol');
  await carol.request('subscribe', { channel: ROOM });
  expect(await eventsUntilJoinOf('carol', bob)).toEqual(['carol join']);
});
