import { describe, expect, it } from 'vitest';
import type { Environment } from '../../config/settings.js';
import { RevocationOrders } from '../../src/access/lists/revocation-orders.js';
import { Overload } from '../../src/lifecycle/overload.js';
import { ServerState } from '../../src/lifecycle/server-state.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { REFUSALS, type Refusal, type RefusalReason } from '../../src/upgrade/ladder/refusals.js';
import { Issuer } from '../unit/authentication/issuer.js';
import { RSA, sign } from '../unit/authentication/tokens.js';
import { TOO_MANY } from '../support/closes.js';
import { eventually } from '../support/eventually.js';
import { RawClient, type Outcome, type RawUpgrade } from '../support/raw-client.js';
import { Scrape } from '../support/scrape.js';
import { ScriptedLag } from '../support/scripted-lag.js';
import { sharedServers } from '../support/shared-server.js';
import { connect } from '../support/test-client.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';

const serverWith = sharedServers();

interface Scenario {
  readonly environment?: Environment;
  /** Brings the server to where the next good upgrade is refused. Returns what to hold until then. */
  readonly before?: (server: TestServer) => Promise<readonly AsyncDisposable[]> | void;
  readonly request?: () => RawUpgrade | Promise<RawUpgrade>;
  readonly answer:
    | { readonly status: number; readonly body: string }
    | { readonly code: number; readonly reason: string };
}

const bearer = (token: string): RawUpgrade => ({ headers: { Authorization: `Bearer ${token}` } });
const withHeader = (name: string, value: string | undefined) => (): RawUpgrade => ({
  headers: { ...bearer(mintToken()).headers, [name]: value },
});
const oneClient = async ({ url }: TestServer): Promise<AsyncDisposable[]> => [await connect(url)];

/** Refusals that need a back end: test/gateway/hooks.spec.ts. */
type OfHooks = 'denied_by_back_end' | 'back_end_unavailable';

/** A scenario for each reason there is: one that is added without a test does not compile. */
const SCENARIOS: Record<Exclude<RefusalReason, OfHooks>, Scenario> = {
  tls_required: {
    environment: { REQUIRE_TLS: 'on', TRUST_PROXY: '1' },
    request: withHeader('X-Forwarded-Proto', 'http'),
    answer: { status: 403, body: 'TLS is required: use wss' },
  },
  bad_method: {
    request: () => ({ method: 'POST' }),
    answer: { status: 405, body: 'A WebSocket upgrade is a GET request' },
  },
  bad_headers: {
    request: withHeader('Sec-WebSocket-Key', undefined),
    answer: { status: 400, body: 'Malformed WebSocket upgrade headers' },
  },
  bad_http_version: {
    request: () => ({ ...bearer(mintToken()), version: '1.0' }),
    answer: { status: 426, body: 'A WebSocket upgrade needs HTTP/1.1' },
  },
  bad_version: {
    request: withHeader('Sec-WebSocket-Version', '12'),
    answer: { status: 426, body: 'WebSocket version 13 is needed' },
  },
  too_many_headers: {
    request: () => ({ headers: Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`X-${n}`, 'x'])) }),
    answer: { status: 431, body: 'Too many headers' },
  },
  bad_extensions: {
    environment: { COMPRESS_FROM_BYTES: '1024' },
    request: withHeader('Sec-WebSocket-Extensions', `permessage-deflate; ${'a; '.repeat(4_000)}`),
    answer: { status: 400, body: 'Malformed Sec-WebSocket-Extensions header' },
  },
  bad_subprotocols: {
    request: withHeader('Sec-WebSocket-Protocol', 'v1.json, v1.json'),
    answer: { status: 400, body: 'Malformed Sec-WebSocket-Protocol header' },
  },
  unknown_path: {
    request: () => ({ ...bearer(mintToken()), path: '/elsewhere' }),
    answer: { status: 404, body: 'There is no WebSocket endpoint at this path' },
  },
  starting: {
    // The port opens a moment before the server is ready; no client is fast enough to come in between for certain.
    before: ({ app }) => void Object.assign(app.get(ServerState, { strict: false }), { current: 'starting' }),
    answer: { code: 4503, reason: 'Server starting, try again later' },
  },
  draining: {
    before: ({ app }) => app.get(ServerState, { strict: false }).draining(),
    answer: { code: 1012, reason: 'Server restarting' },
  },
  overloaded: {
    environment: { OVERLOAD_EVENT_LOOP_LAG_MS: '100' },
    before: async (server) => {
      await new ScriptedLag(server).is(1_000);
      await eventually('the stall is noticed', () => isOverloaded(server));
      return [];
    },
    answer: { code: 1013, reason: 'Server at capacity, try again later' },
  },
  banned: {
    environment: { CONNECTION_RATE_PER_IP: '1' },
    before: async (server) => {
      const [first] = await oneClient(server);
      await using breach = await RawClient.upgrade(server.port, bearer(mintToken()));
      await breach.outcome();
      return first ? [first] : [];
    },
    answer: TOO_MANY,
  },
  connection_rate: { environment: { CONNECTION_RATE_PER_IP: '1' }, before: oneClient, answer: TOO_MANY },
  too_many_from_address: { environment: { MAX_CONNECTIONS_PER_IP: '1' }, before: oneClient, answer: TOO_MANY },
  too_many_of_user: { environment: { MAX_CONNECTIONS_PER_USER: '1' }, before: oneClient, answer: TOO_MANY },
  at_capacity: {
    environment: { MAX_CONNECTIONS: '1' },
    before: oneClient,
    answer: { code: 1013, reason: 'Server at capacity, try again later' },
  },
  origin: {
    request: withHeader('Origin', 'https://evil.example'),
    answer: { code: 4430, reason: 'Origin not allowed' },
  },
  unsupported_subprotocol: {
    request: withHeader('Sec-WebSocket-Protocol', 'v9.xml, soap'),
    answer: { code: 1002, reason: 'Unsupported subprotocol' },
  },
  unauthenticated: { request: () => ({}), answer: { code: 4401, reason: 'Authentication required' } },
  token_expired: {
    request: () => bearer(mintToken({ exp: 1 })),
    answer: { code: 4401, reason: 'Token expired' },
  },
  token_revoked: {
    before: async ({ app }) => {
      await app.get(RevocationOrders, { strict: false }).revokeToken('t1');
      return [];
    },
    request: () => bearer(mintToken({ jti: 't1' })),
    answer: { code: 4401, reason: 'Token revoked' },
  },
  invalid_token: {
    request: () => bearer(mintToken({}, 'another-secret-with-enough-characters')),
    answer: { code: 4403, reason: 'Invalid token' },
  },
  aborted: {
    request: async () => ({
      ...bearer(await sign({ alg: 'RS256', key: RSA.privateKey, kid: 'k1' })),
      endsItsSide: true,
    }),
    answer: { status: 400, body: 'The client ended the connection before the upgrade was decided' },
  },
  undecided: {
    environment: { UPGRADE_TIMEOUT_MS: '1000' },
    request: async () => bearer(await sign({ alg: 'RS256', key: RSA.privateKey, kid: 'k1' })),
    answer: { code: 1013, reason: 'Server at capacity, try again later' },
  },
  keys_unavailable: {
    request: async () => bearer(await sign({ alg: 'RS256', key: RSA.privateKey, kid: 'k1' })),
    answer: { code: 1013, reason: 'Server at capacity, try again later' },
  },
};

describe('a refused upgrade', () => {
  it.each(Object.keys(SCENARIOS) as (keyof typeof SCENARIOS)[])(
    '%s: answered, counted, and leaves nothing',
    async (reason) => {
      const { environment = {}, before, request = () => bearer(mintToken()), answer } = SCENARIOS[reason];
      await using issuer = await Issuer.start();
      if (reason === 'keys_unavailable') issuer.fail();
      else issuer.answer = () => {};
      const asksIssuer = reason === 'keys_unavailable' || reason === 'undecided' || reason === 'aborted';
      const keys: Environment = asksIssuer ? { JWT_JWKS_URL: issuer.url } : {};
      // A server that nothing is done to serves every such refusal.
      const isShared = before === undefined && !asksIssuer;
      await using own = isShared ? undefined : await startTestServer({ ...environment, ...keys });
      const server = own ?? (await serverWith(environment));
      const held = (await before?.(server)) ?? [];
      const { sessions, count, opened } = watch(server);
      const earlier = await Scrape.of(server);

      await using client = await RawClient.upgrade(server.port, await request());
      const outcome = await client.outcome();
      expect(shown(outcome)).toEqual(answer);
      await client.closed();

      expect(opened()).toBe(0);
      expect(sessions.size).toBe(count);
      const later = await Scrape.of(server);
      expect(later.since(earlier, `websocket_connections_refused_total{reason="${reason}"}`)).toBe(1);
      expect(server.logLines.filter(({ msg }) => msg === 'upgrade refused').at(-1)).toMatchObject({
        reason,
        address: '127.0.0.1',
      });
      await Promise.all(held.map((one) => one[Symbol.asyncDispose]()));
    },
  );

  it('tells by header what would be accepted', async () => {
    const server = await serverWith();
    const headersOf = async (request: RawUpgrade): Promise<Outcome['headers']> => {
      await using client = await RawClient.upgrade(server.port, request);
      return (await client.outcome()).headers;
    };
    expect(await headersOf({ method: 'PUT' })).toMatchObject({ allow: 'GET', connection: 'close' });
    expect(await headersOf({ headers: { 'Sec-WebSocket-Version': '8' } })).toMatchObject({
      'sec-websocket-version': '13',
    });
  });

  it('says with every 503 when to come again, also of a full server where AUTH_REFUSAL is http', async () => {
    const unavailable = Object.values(REFUSALS as Record<string, Refusal>).flatMap(({ http }) => http ?? []);
    for (const { status, headers } of unavailable) {
      if (status === 503) expect(headers).toMatchObject({ 'Retry-After': '1' });
    }
    await using server = await startTestServer({ AUTH_REFUSAL: 'http', MAX_CONNECTIONS: '1' });
    await using first = await connect(server.url);
    await using client = await RawClient.upgrade(server.port, bearer(mintToken()));
    expect(await client.outcome()).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      body: 'Server at capacity',
    });
    expect(await first.request('echo', 1)).toMatchObject({ data: 1 });
  });

  it('has a close code of the registry or an HTTP answer, whatever the reason', () => {
    const silent = Object.entries(REFUSALS).filter(([, refusal]) => !('http' in refusal) && !('close' in refusal));
    expect(silent).toEqual([]);
  });
});

function watch({ app }: TestServer): { sessions: SessionRegistry; count: number; opened: () => number } {
  const sessions = app.get(SessionRegistry, { strict: false });
  let opened = 0;
  sessions.events.on('opened', () => (opened += 1));
  return { sessions, count: sessions.size, opened: () => opened };
}

function isOverloaded({ app }: TestServer): boolean {
  return app.get(Overload, { strict: false }).sign !== undefined;
}

function shown({ status, body, close }: Outcome): object {
  return close ?? { status, body };
}
