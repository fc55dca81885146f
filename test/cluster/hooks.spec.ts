// @module-tag redis
import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { BackEnd, hooksFile } from '../support/back-end.js';
import { buildServer } from '../support/built-server.js';
import { eventually } from '../support/eventually.js';
import { RedisServer } from '../support/redis-server.js';
import { connect } from '../support/test-client.js';
import { TestNodes } from '../support/test-nodes.js';
import { Nodes } from './scenarios/nodes.js';

const urlOf = (port: number | undefined): string => `ws://127.0.0.1:${port}/ws`;

it('of a killed node the other one tells once who is gone, and not what the other one still has', async () => {
  await using redis = await RedisServer.start();
  await using build = await buildServer();
  await using backEnd = await BackEnd.start();
  using file = hooksFile(backEnd.url, 'events: { endpoint: app, wait: 1ms }', ', timeout: 30s');
  // A busy machine must not make Redis look silent.
  const environment = { REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '60000', HOOKS_FILE: file.HOOKS_FILE };
  await using nodes = await Nodes.start(build, [environment, environment]);
  await using bob = await connect(urlOf(nodes.portOf(0)), { claims: { sub: 'bob' } });
  await using alice = await connect(urlOf(nodes.portOf(1)), { claims: { sub: 'alice' } });
  await bob.request('subscribe', { channel: 'room:both' });
  for (const channel of ['room:both', 'room:hers']) await alice.request('subscribe', { channel });
  const hello = await alice.request('hello');
  const { sessionId } = hello.data as { sessionId: string };
  // Three joins, two sessions, two channels.
  await eventually('all are told to be here', () => backEnd.told.length === 7);
  await nodes.end(1, 'SIGKILL');
  await eventually('all are told to be gone', () => backEnd.told.length >= 11);
  // What is told twice would be told in the same sweep, before this.
  await bob.request('unsubscribe', { channel: 'room:both' });
  await eventually('bob has left', () => backEnd.told.some(({ data }) => data.user === 'bob' && 'channel' in data));
  await eventually('the channel is vacated', () => backEnd.told.length >= 13);
  const gone = backEnd.told.slice(7).map(({ type, data }) => `${type} ${String(data.channel ?? data.session)}`);
  expect(new Set(gone.slice(0, 4))).toEqual(
    new Set([
      'channel.vacated room:hers',
      'member.left room:both',
      'member.left room:hers',
      `session.closed ${sessionId}`,
    ]),
  );
  expect(new Set(gone.slice(4))).toEqual(new Set(['channel.vacated room:both', 'member.left room:both']));
  expect(backEnd.told.find(({ type }) => type === 'session.closed')?.data).toMatchObject({ user: 'alice', code: 1006 });
});

it('a node that stops tells of its sessions itself, and no other node tells again', async () => {
  await using backEnd = await BackEnd.start();
  using file = hooksFile(
    backEnd.url,
    'events: { endpoint: app, types: [session.closed], wait: 1ms }',
    ', timeout: 30s',
  );
  await using nodes = await TestNodes.start(['a', 'b'], { HOOKS_FILE: file.HOOKS_FILE });
  await using alice = await connect(nodes.at(1).url, { claims: { sub: 'alice' } });
  await alice.request('echo', 1);
  await nodes.at(1).close();
  await alice.closed;
  await eventually('it is told', () => backEnd.told.length === 1);
  const redis = new Redis(nodes.redis.url);
  const left = await redis.keys('*@hook-sessions*');
  redis.disconnect();
  expect(left).toEqual([]);
});
