// @module-tag redis
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bans } from '../../src/access/lists/bans.js';
import { RevocationOrders } from '../../src/access/lists/revocation-orders.js';
import { Revocations } from '../../src/access/lists/revocations.js';
import { RevocationStore } from '../../src/cluster/ports/revocation-store.js';
import { api } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { StoppedClock } from '../support/stopped-clock.js';
import { namespacesFile } from '../support/namespaces-file.js';
import { connect, open } from '../support/test-client.js';
import { TestNodes } from '../support/test-nodes.js';
import { mintToken, startTestServer } from '../support/test-server.js';

const REVOKED = { code: 4401, reason: 'Token revoked' };

/** One Redis and two nodes for all; the last tests take it away. */
describe('on two nodes', () => {
  const file = namespacesFile({
    staff: 'subscribe: [STAFF], presence: true, join_leave: true',
    open: 'subscribe: signed_in',
  });
  let nodes: TestNodes;
  beforeAll(async () => void (nodes = await TestNodes.start(['a', 'b'], file.environment)));
  afterAll(async () => {
    await nodes[Symbol.asyncDispose]();
    file[Symbol.dispose]();
  });

  const as = (index: number, claims: Record<string, unknown>) => connect(nodes.at(index).url, { claims });

  it('a revoked token is so on both, for who is connected and who comes, until it is lifted', async () => {
    const claims = { sub: 'ann', jti: 'ann-1' };
    await using here = await as(0, claims);
    await using there = await as(1, claims);
    await using neighbour = await as(1, { sub: 'bob', jti: 'bob-1' });
    const { ended, missing } = await nodes.get(0, RevocationOrders).revokeToken('ann-1');
    expect({ ended, missing }).toEqual({ ended: 2, missing: [] });
    expect([await here.closed, await there.closed]).toEqual([REVOKED, REVOKED]);
    for (const index of [0, 1]) {
      await using refused = open(nodes.at(index).url, { claims });
      expect(await refused.closed).toEqual(REVOKED);
    }
    const token = mintToken({ sub: 'bob', jti: 'ann-1' });
    expect(await neighbour.request('auth_refresh', { token })).toMatchObject({ code: 'UNAUTHENTICATED' });

    expect(await nodes.get(1, Revocations).list()).toMatchObject([{ kind: 'token', key: 'ann-1' }]);
    expect(await nodes.get(1, Revocations).lift('token', 'ann-1')).toBe(true);
    await eventually('the other node lifts it too', () => nodes.get(0, Revocations).activeCount === 0);
    await using again = await as(0, claims);
    expect(await again.request('echo', 1)).toMatchObject({ data: 1 });
  });

  it('a lift and an order at the same moment end the same everywhere: as the store has it', async () => {
    const [a, b] = [nodes.get(0, Revocations), nodes.get(1, Revocations)];
    const order = (round: number) => ({
      kind: 'user' as const,
      key: 'contested',
      until: Date.now() + 60_000 + round,
      reason: '',
      issuedBefore: Date.now() + round,
    });
    await a.add(order(0));
    for (let round = 1; round <= 10; round += 1) {
      await Promise.all([a.lift('user', 'contested'), b.add(order(round))]);
      await eventually('both know what the store has', async () => {
        const isStored = (await a.list()).some(({ key }) => key === 'contested');
        return [a, b].every((node) => (node.get('user', 'contested') !== undefined) === isStored);
      });
    }
    await a.lift('user', 'contested');
    await eventually('it is lifted', () => [a, b].every(({ activeCount }) => activeCount === 0));
  });

  it('so do a lift and a ban', async () => {
    const [a, b] = [nodes.get(0, Bans), nodes.get(1, Bans)];
    const order = { kind: 'user', key: 'contested', durationMs: 60_000, reason: '' } as const;
    await a.ban(order);
    for (let round = 0; round < 10; round += 1) {
      await Promise.all([a.lift('user', 'contested'), b.ban(order)]);
      await eventually('both know what the store has', async () => {
        const isStored = (await a.list()).some(({ key }) => key === 'contested');
        return [a, b].every((node) => node.isBanned('user', 'contested') === isStored);
      });
    }
    await a.lift('user', 'contested');
    await eventually('it is lifted', () => [a, b].every((node) => !node.isBanned('user', 'contested')));
  });

  it('a session is found by its id wherever it is, and all that its token has opened ends', async () => {
    const claims = { sub: 'cid', jti: 'cid-1' };
    await using here = await as(0, claims);
    await using there = await as(1, claims);
    const [session] = nodes.sessions(1).ofUser('cid');
    const outcome = await nodes.get(0, RevocationOrders).revokeSession(session?.id ?? '');
    expect(outcome).toMatchObject({ ended: 2, revocation: { kind: 'token', key: 'cid-1' } });
    expect([await here.closed, await there.closed]).toEqual([REVOKED, REVOKED]);
  });

  it('changed rights bite on both: one leave is told, and only what is not allowed any more is dropped', async () => {
    await using watcher = await as(0, { sub: 'watcher', roles: ['STAFF'] });
    await watcher.request('subscribe', { channel: 'staff:a', presence: true });
    await using one = await as(0, { sub: 'dan', roles: ['STAFF'] });
    await using two = await as(1, { sub: 'dan', roles: ['STAFF'] });
    for (const client of [one, two])
      for (const channel of ['staff:a', 'open:a'])
        expect(await client.request('subscribe', { channel })).toMatchObject({ type: 'subscribe_reply' });
    expect(await watcher.next()).toMatchObject({ data: { event: 'join' } });
    const body = { roles: ['MEMBER'] };
    expect(await api(nodes.at(0), 'PUT /api/users/dan/rights', { body })).toMatchObject({
      status: 200,
      body: { sessions: 2, dropped: 2, missing: [] },
    });
    for (const client of [one, two]) {
      expect(await client.next()).toMatchObject({ type: 'unsubscribed', channel: 'staff:a' });
      expect(await client.request('unsubscribe', { channel: 'open:a' })).toMatchObject({ type: 'unsubscribe_reply' });
      expect(await client.request('hello')).toMatchObject({ data: { roles: ['MEMBER'] } });
    }
    expect(await watcher.next()).toMatchObject({ data: { event: 'leave', member: { userId: 'dan' } } });
    expect(await watcher.request('presence', { channel: 'staff:a' })).toMatchObject({ data: { count: 1 } });

    expect((await api(nodes.at(1), 'DELETE /api/users/dan/rights')).status).toBe(204);
    for (const client of [one, two])
      await expect.poll(async () => (await client.request('hello')).data).toMatchObject({ roles: ['STAFF'] });
  });

  it('rights changed on both in one millisecond end the same everywhere: as the store has it', async () => {
    await using here = await as(0, { sub: 'gil', roles: ['MEMBER'] });
    await using there = await as(1, { sub: 'gil', roles: ['MEMBER'] });
    const rolesAt = (index: number) => nodes.get(index, Revocations).get('rights', 'gil')?.roles;
    {
      using _ = new StoppedClock();
      const change = (index: number) =>
        nodes.get(index, RevocationOrders).changeRights('gil', { roles: [`OF_${index}`] });
      const orders = await Promise.all([change(0), change(1)]);
      expect(new Set(orders.map(({ revocation }) => revocation.kind))).toEqual(new Set(['rights']));
    }
    const stored = async () => (await nodes.get(0, RevocationStore).list()).find(({ key }) => key === 'gil');
    await eventually('both have what the store has', async () => {
      const order = await stored();
      const roles = order?.kind === 'rights' ? order.roles : undefined;
      return [0, 1].every((index) => JSON.stringify(rolesAt(index)) === JSON.stringify(roles));
    });
    const [role] = rolesAt(0) ?? [];
    for (const client of [here, there])
      await eventually('its session has them', async () => {
        const { data } = await client.request('hello');
        return (data as { roles: string[] }).roles.join() === role;
      });
  });

  it('a node that starts later knows what is revoked before it serves', async () => {
    await nodes.get(0, RevocationOrders).revokeUser('eve');
    const settings = { ...file.environment, REDIS_URL: nodes.redis.url, SERVER_ID: 'late' };
    await using late = await startTestServer(settings);
    await using refused = open(late.url, { claims: { sub: 'eve', iat: undefined } });
    expect(await refused.closed).toEqual(REVOKED);
  });

  it('a revocation made while Redis is away holds here at once, and everywhere when Redis is back', async () => {
    const claims = { sub: 'fay', jti: 'fay-1' };
    await using here = await as(0, claims);
    await using there = await as(1, claims);
    await nodes.redis.kill();
    const body = { kind: 'token', key: 'fay-1' };
    expect(await api(nodes.at(0), 'POST /api/revocations', { body })).toMatchObject({
      status: 503,
      body: {
        detail: 'Redis cannot be reached. The revocation applies on this node now, and on all nodes when Redis is back',
      },
    });
    expect(await here.closed).toEqual(REVOKED);
    expect((await api(nodes.at(0), 'DELETE /api/revocations/token/fay-1')).status).toBe(503);
    await using refused = open(nodes.at(0).url, { claims });
    expect(await refused.closed).toEqual(REVOKED);
    expect(await there.request('echo', 1)).toMatchObject({ data: 1 });

    await nodes.redis.restart();
    expect(await there.closed).toEqual(REVOKED);
    await eventually('it is in the list of all', async () =>
      (await nodes.get(1, Revocations).list()).some(({ key }) => key === 'fay-1'),
    );
    // Redis has come back empty, and what was known before is put again.
    await eventually('so is what was there before', async () =>
      (await nodes.get(1, Revocations).list()).some(({ key }) => key === 'eve'),
    );
  });
});
