import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { ConnectionLimits } from '../../src/access/limits/connection-limits.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { Issuer, jwk } from '../unit/authentication/issuer.js';
import { RSA, sign } from '../unit/authentication/tokens.js';
import { eventually } from '../support/eventually.js';
import { RawClient } from '../support/raw-client.js';
import { Scrape } from '../support/scrape.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

const SLOTS = 5;

function undecided({ app }: TestServer): number {
  return app.get(ConnectionLimits, { strict: false }).undecided;
}

/** An issuer whose keys come when the test says so. */
async function heldIssuer(): Promise<AsyncDisposable & { url: string; answer: () => void }> {
  const issuer = await Issuer.start(await jwk(RSA, 'k1'));
  const { answer, url } = issuer;
  const held: ServerResponse[] = [];
  issuer.answer = (response) => void held.push(response);
  return {
    url,
    answer: () => held.splice(0).forEach((response) => answer(response)),
    [Symbol.asyncDispose]: () => issuer[Symbol.asyncDispose](),
  };
}

async function knock(server: TestServer): Promise<RawClient> {
  const token = await sign({ alg: 'RS256', key: RSA.privateKey, kid: 'k1' });
  return RawClient.upgrade(server.port, { headers: { Authorization: `Bearer ${token}` } });
}

describe('clients that hang up while their token is checked', () => {
  it.each<[string, (client: RawClient) => void]>([
    ['by closing', ({ socket }) => socket.destroy()],
    ['by a reset', ({ socket }) => void socket.resetAndDestroy()],
    ['by ending their side', ({ socket }) => void socket.end()],
    ['with frames on the way', (client) => void (client.send({ type: 'echo' }), client.socket.destroy())],
  ])('%s make room at once, are counted, and leave no session', async (_how, hangUp) => {
    await using issuer = await heldIssuer();
    const environment = { JWT_SECRET: '', JWT_JWKS_URL: issuer.url, MAX_PENDING_UPGRADES: String(SLOTS) };
    await using server = await startTestServer(environment);
    const earlier = await Scrape.of(server);
    const clients = await Promise.all(Array.from({ length: SLOTS }, () => knock(server)));
    await eventually('all slots are taken', () => undecided(server) === SLOTS);
    const [stayer, ...leavers] = clients;
    leavers.forEach(hangUp);
    await eventually('their slots are free', () => undecided(server) === 1);

    const late = await Promise.all(leavers.map(() => knock(server)));
    await eventually('others have them', () => undecided(server) === SLOTS);
    issuer.answer();
    for (const client of [stayer, ...late]) expect((await client?.answer())?.status).toBe(101);
    const later = await Scrape.of(server);
    const refused = (reason: string): number =>
      later.since(earlier, `websocket_connections_refused_total{reason="${reason}"}`);
    expect([refused('aborted'), refused('at_capacity')]).toEqual([leavers.length, 0]);
    expect(server.app.get(SessionRegistry, { strict: false }).size).toBe(SLOTS);
    for (const client of [...clients, ...late]) await client[Symbol.asyncDispose]();
  });

  it('do not cost others what they sent before they were let in', async () => {
    await using issuer = await heldIssuer();
    await using server = await startTestServer({ JWT_SECRET: '', JWT_JWKS_URL: issuer.url });
    await using eager = await knock(server);
    await eventually('it waits', () => undecided(server) === 1);
    for (const id of [1, 2, 3]) eager.send({ type: 'echo', id, data: 'x'.repeat(9_000) });
    const opened = once(server.app.get(SessionRegistry, { strict: false }).events, 'opened');
    issuer.answer();
    await opened;
    await eager.answer();
    for (const id of [1, 2, 3]) expect(JSON.parse((await eager.frame()).payload.toString())).toMatchObject({ id });
  });
});
