import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bans } from '../../src/access/lists/bans.js';
import { RevocationOrders } from '../../src/access/lists/revocation-orders.js';
import { Revocations } from '../../src/access/lists/revocations.js';
import { api } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { connect, open } from '../support/test-client.js';
import { TestNodes } from '../support/test-nodes.js';
import { startTestServer } from '../support/test-server.js';

describe('a Redis that loses the lists while nodes run', () => {
  let nodes: TestNodes;
  beforeAll(async () => void (nodes = await TestNodes.start(['a', 'b'])));
  afterAll(() => nodes[Symbol.asyncDispose]());

  async function giveOrders(name: string): Promise<void> {
    await nodes.get(0, Bans).ban({ kind: 'user', key: `${name}-banned`, durationMs: 600_000, reason: '' });
    nodes.get(1, Bans).breach('192.0.2.1', 'connection_rate');
    await nodes.get(0, RevocationOrders).revokeToken(`${name}-token`);
    await nodes.get(1, RevocationOrders).changeRights(`${name}-demoted`, { roles: ['MEMBER'] });
  }

  /** As whoever empties Redis by hand, or as an eviction. */
  async function lose(what: string): Promise<void> {
    const redis = new Redis(nodes.redis.url);
    const keys = ['bans', 'revocations'].flatMap((tag) =>
      ['list', 'endings', 'breaches'].map((part) => `gatehouse:{${tag}}:${part}`),
    );
    if (what === 'everything') await redis.flushall();
    else expect(await redis.del(...keys)).toBe(5);
    redis.disconnect();
  }

  it.each(['everything', 'only the lists'])(
    'is told them again, and a node that starts then knows them: %s',
    async (what) => {
      const name = what.split(' ').at(-1) ?? '';
      await giveOrders(name);
      await lose(what);
      // What a node enforces is what it lists, also in the moment before the lists are there again.
      const { body } = await api(nodes.at(0), 'GET /api/revocations');
      expect((body as { revocations: { key: string }[] }).revocations.map(({ key }) => key)).toContain(`${name}-token`);

      await using late = await startTestServer({ REDIS_URL: nodes.redis.url, SERVER_ID: `late-${name}` });
      const bans = late.app.get(Bans, { strict: false });
      const revocations = late.app.get(Revocations, { strict: false });
      await eventually(
        'the late one knows all of it',
        () =>
          bans.isBanned('user', `${name}-banned`) &&
          bans.isBanned('address', '192.0.2.1') &&
          revocations.get('token', `${name}-token`) !== undefined &&
          revocations.get('rights', `${name}-demoted`) !== undefined,
      );
      await using revoked = open(late.url, { claims: { sub: 'eve', jti: `${name}-token` } });
      expect(await revoked.closed).toEqual({ code: 4401, reason: 'Token revoked' });
      await using banned = open(late.url, { claims: { sub: `${name}-banned` } });
      expect((await banned.closed).code).toBe(4001);
      await using demoted = await connect(late.url, {
        claims: { sub: `${name}-demoted`, roles: ['ADMIN'], iat: undefined },
      });
      expect(await demoted.request('hello')).toMatchObject({ data: { roles: ['MEMBER'] } });
    },
    60_000,
  );
});
