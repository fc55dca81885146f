import { expect, it } from 'vitest';
import { Bans } from '../../src/access/lists/bans.js';
import { RevocationOrders } from '../../src/access/lists/revocation-orders.js';
import { Revocations } from '../../src/access/lists/revocations.js';
import { api } from '../support/api-client.js';
import { freshFolder, startCentre, startEdge, type EdgeServer } from '../support/edge.js';
import { eventually } from '../support/eventually.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { connect, open } from '../support/test-client.js';
import type { TestServer } from '../support/test-server.js';

const HOUR_MS = 3_600_000;
const MIRRORS_NOTHING = '{}';

async function centreAndEdge() {
  const folder = await freshFolder();
  const centre = await startCentre();
  const link = await TcpProxy.start(centre.port);
  const start = (upstream = `ws://127.0.0.1:${link.port}/ws`): Promise<EdgeServer> =>
    startEdge({ folder, upstream, file: MIRRORS_NOTHING });
  const edge = await start();
  await edge.isUp();
  return {
    centre,
    link,
    edge,
    start,
    async [Symbol.asyncDispose]() {
      for (const each of [edge, link, centre, folder]) await each[Symbol.asyncDispose]();
    },
  };
}

const ban = (server: TestServer, key: string): Promise<number> =>
  server.app.get(Bans).ban({ kind: 'user', key, durationMs: HOUR_MS, reason: 'because' });

function knows(edge: TestServer, key: string): Promise<void> {
  const bans = edge.app.get(Bans);
  return eventually(`the edge knows the ban of ${key}`, () => bans.isBanned('user', key));
}

it('the bans and revocations of the centre hold at the edge, as long as they hold there', async () => {
  await using world = await centreAndEdge();
  const { centre, edge } = world;
  await using ann = await connect(edge.url, { claims: { sub: 'ann', jti: 'ann-1' } });
  await using ben = await connect(edge.url, { claims: { sub: 'ben' } });
  await using cat = await connect(edge.url, { claims: { sub: 'cat' } });
  await centre.app.get(RevocationOrders).revokeToken('ann-1');
  expect(await ann.closed).toMatchObject({ code: 4401 });
  await ban(centre, 'ben');
  expect(await ben.closed).toMatchObject({ code: 4409 });
  await using back = open(edge.url, { claims: { sub: 'ben' } });
  expect(await back.closed).toMatchObject({ code: 4001 });
  expect(await cat.request('echo', 1)).toMatchObject({ data: 1 });

  await centre.app.get(Bans).lift('user', 'ben');
  await eventually('the ban is lifted here, too', () => !edge.app.get(Bans).isBanned('user', 'ben'));
  await using welcome = await connect(edge.url, { claims: { sub: 'ben' } });
  expect(await welcome.request('echo', 2)).toMatchObject({ data: 2 });
});

it('orders that were given or lifted in an outage arrive when the centre is back', async () => {
  await using world = await centreAndEdge();
  const { centre, edge, link } = world;
  await ban(centre, 'ann');
  await knows(edge, 'ann');
  link.refuses = true;
  link.cut();
  await eventually('the link is down', () => !edge.upstream.isUp);
  await centre.app.get(Bans).lift('user', 'ann');
  await ban(centre, 'ben');
  // One of the edge itself stays.
  await ban(edge, 'cat');
  expect(edge.app.get(Bans).isBanned('user', 'ann')).toBe(true);
  link.refuses = false;
  await knows(edge, 'ben');
  expect(edge.app.get(Bans).isBanned('user', 'ann')).toBe(false);
  expect(edge.app.get(Bans).isBanned('user', 'cat')).toBe(true);
});

it('an edge that starts without the centre enforces what it knew, before its first client', async () => {
  await using world = await centreAndEdge();
  const { centre, edge, start } = world;
  await centre.app.get(RevocationOrders).revokeUser('ann');
  await ban(centre, 'ben');
  await knows(edge, 'ben');
  await eventually('the edge knows both', () => edge.app.get(Revocations).get('user', 'ann') !== undefined);
  await edge[Symbol.asyncDispose]();
  await using again = await start('ws://127.0.0.1:9/ws');
  await using ann = open(again.url, { claims: { sub: 'ann', iat: Math.floor(Date.now() / 1_000) - 60 } });
  expect(await ann.closed).toMatchObject({ code: 4401 });
  await using ben = open(again.url, { claims: { sub: 'ben' } });
  expect(await ben.closed).toMatchObject({ code: 4001 });
});

it('an order of the centre can only be lifted there, and automatic bans stay where they are', async () => {
  await using world = await centreAndEdge();
  const { centre, edge } = world;
  centre.app.get(Bans).breach('198.51.100.7', 'connection_rate');
  await ban(centre, 'ann');
  await knows(edge, 'ann');
  expect(await api(edge, 'DELETE /api/bans/user/ann')).toMatchObject({ status: 403 });
  expect(edge.app.get(Bans).isBanned('user', 'ann')).toBe(true);
  expect(edge.app.get(Bans).isBanned('address', '198.51.100.7')).toBe(false);
});

it('more orders than one message holds come in pages, and so do their changes', async () => {
  await using world = await centreAndEdge();
  const { centre, edge, link } = world;
  link.refuses = true;
  link.cut();
  await eventually('the link is down', () => !edge.upstream.isUp);
  const revocations = centre.app.get(Revocations);
  const until = Date.now() + HOUR_MS;
  const revoke = async (first: number, last: number): Promise<void> => {
    for (let n = first; n <= last; n += 1) await revocations.add({ kind: 'token', key: `t${n}`, until, reason: '' });
  };
  await revoke(1, 1_200);
  link.refuses = false;
  const here = edge.app.get(Revocations);
  await eventually('all are here', () => here.activeCount === 1_200);
  await revoke(1_201, 2_400);
  await eventually('the others are here', () => here.activeCount === 2_400);
  for (let n = 1; n <= 1_300; n += 1) await revocations.lift('token', `t${n}`);
  await eventually('they are lifted', () => here.activeCount === 1_100);
});
