import { describe, expect, it } from 'vitest';
import { api, serviceToken } from '../support/api-client.js';
import { Scrape } from '../support/scrape.js';
import { sharedServers } from '../support/shared-server.js';
import { StoppedClock } from '../support/stopped-clock.js';
import { mintToken, startTestServer } from '../support/test-server.js';

const serverWith = sharedServers();

/** Each with what makes it succeed, so that nothing but the token decides. */
const ENDPOINTS: Readonly<Record<string, unknown>> = {
  'POST /api/publish': { channel: 'feed:news', data: 1 },
  'POST /api/broadcast': { data: 1 },
  'POST /api/users/bob/messages': { data: 1 },
  'GET /api/sessions': undefined,
  'DELETE /api/sessions/nobody': undefined,
  'DELETE /api/users/bob/sessions': undefined,
  'GET /api/channels': undefined,
  'GET /api/channels/feed:news/history': undefined,
  'GET /api/channels/feed:news/presence': undefined,
  'GET /api/nodes': undefined,
  'GET /api/bans': undefined,
  'POST /api/bans': { kind: 'user', key: 'bob', durationMs: 1_000 },
  'DELETE /api/bans/user/bob': undefined,
  'POST /api/drain': {},
  'GET /api/nothing-here': undefined,
};

const UNAUTHENTICATED = { type: 'about:blank', title: 'Unauthorized', status: 401, code: 'UNAUTHENTICATED' };

describe('who may use the server API', () => {
  it('is nobody without a token, at whatever endpoint', async () => {
    await using server = await startTestServer({ TRUST_PROXY: '1' });
    for (const [index, [endpoint, body]] of Object.entries(ENDPOINTS).entries()) {
      const call = { token: false, body, headers: from(`203.0.113.${index}`) } as const;
      const { status, headers, body: answer } = await api(server, endpoint, call);
      expect({ endpoint, status }).toEqual({ endpoint, status: 401 });
      expect(headers.get('content-type')).toBe('application/problem+json');
      expect(headers.get('www-authenticate')).toBe('Bearer');
      expect(answer).toEqual({ ...UNAUTHENTICATED, detail: 'Authentication required' });
    }
  });

  it('is nobody without one of the roles, at whatever endpoint', async () => {
    const server = await serverWith();
    for (const [endpoint, body] of Object.entries(ENDPOINTS)) {
      const { status, body: answer } = await api(server, endpoint, { token: mintToken({ roles: ['MEMBER'] }), body });
      expect({ endpoint, status }).toEqual({ endpoint, status: 403 });
      expect(answer).toMatchObject({ code: 'FORBIDDEN', detail: 'Insufficient privileges' });
    }
  });

  it.each(['ADMIN', 'SERVICE'])('is who has the role %s', async (role) => {
    const server = await serverWith();
    expect((await api(server, 'GET /api/nodes', { token: mintToken({ roles: ['MEMBER', role] }) })).status).toBe(200);
  });

  it.each([
    ['a token that has expired', mintToken({ roles: ['ADMIN'], exp: 1 }), 'Token expired'],
    [
      'a token of another key',
      mintToken({ roles: ['ADMIN'] }, 'another-secret-with-enough-characters'),
      'Invalid token',
    ],
    ['what is no token', 'nonsense', 'Invalid token'],
  ])('is nobody with %s', async (_what, token, detail) => {
    const server = await serverWith();
    expect((await api(server, 'GET /api/nodes', { token })).body).toEqual({ ...UNAUTHENTICATED, detail });
  });

  it('does not read a token from the URL, where it would be logged', async () => {
    const server = await serverWith();
    expect((await api(server, `GET /api/nodes?token=${serviceToken()}`, { token: false })).status).toBe(401);
  });

  it('is not everybody where AUTH_MODE is off', async () => {
    await using server = await startTestServer({ AUTH_MODE: 'off' });
    expect((await api(server, 'GET /api/nodes', { token: false })).status).toBe(401);
    expect((await api(server, 'GET /api/nodes')).status).toBe(200);
  });

  it('cannot be told while the issuer’s keys cannot be fetched: 503 with Retry-After', async () => {
    await using server = await startTestServer({ JWT_SECRET: '', JWT_JWKS_URL: 'http://127.0.0.1:1/keys' });
    const [, claims = '', signature = ''] = serviceToken().split('.');
    const header = Buffer.from('{"alg":"RS256","kid":"k"}').toString('base64url');
    const { status, headers, body } = await api(server, 'GET /api/nodes', {
      token: `${header}.${claims}.${signature}`,
    });
    expect({ status, body }).toMatchObject({ status: 503, body: { code: 'SERVER_BUSY' } });
    expect(headers.get('retry-after')).toBe('1');
  });
});

describe('bad tokens', () => {
  it('beyond ten a second make every request of their address wait, with Retry-After', async () => {
    using clock = new StoppedClock();
    await using server = await startTestServer({ TRUST_PROXY: '1' });
    const call = { token: 'bad', headers: from('203.0.113.7') };
    const attempts = Array.from({ length: 40 }, () => api(server, 'GET /api/nodes', call));
    const refused = (await Promise.all(attempts)).filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]?.headers.get('retry-after')).toBe('1');
    expect(refused[0]?.body).toMatchObject({ status: 429, code: 'RATE_LIMIT_EXCEEDED' });
    expect((await api(server, 'GET /api/nodes', { headers: from('203.0.113.8') })).status).toBe(200);
    const again = { headers: from('203.0.113.7') };
    clock.pass(1_000);
    expect((await api(server, 'GET /api/nodes', again)).status).toBe(200);
  });

  it('are told in the log without the token, at a bounded rate', async () => {
    using _ = new StoppedClock();
    await using server = await startTestServer();
    const attempts = Array.from({ length: 60 }, () => api(server, 'GET /api/nodes', { token: 'a-bad-token' }));
    await Promise.all(attempts);
    const lines = server.logLines.filter(({ msg }) => msg === 'API request refused');
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.length).toBeLessThanOrEqual(40);
    expect(JSON.stringify(server.logLines)).not.toContain('a-bad-token');
  });
});

describe('API_ENABLED=off', () => {
  it('leaves no endpoint under /api, and /route', async () => {
    await using server = await startTestServer({ API_ENABLED: 'off' });
    expect((await api(server, 'GET /api/nodes')).status).toBe(404);
    expect((await api(server, 'GET /route', { token: false })).status).toBe(200);
  });
});

describe('the metric of requests', () => {
  it('counts them by endpoint and status, whatever paths and methods clients make up', async () => {
    await using server = await startTestServer();
    const before = await Scrape.of(server);
    await api(server, 'DELETE /api/sessions/one');
    await api(server, 'DELETE /api/sessions/two');
    await api(server, 'GET /api/made-up');
    await api(server, 'PATCH /api/nodes');
    await api(server, 'GET /api/nodes', { token: false });
    const after = await Scrape.of(server);
    const grew = (labels: string): number => after.since(before, `gatehouse_api_requests_total{${labels}}`);
    expect(grew('route="DELETE /api/sessions/{id}",status="404"')).toBe(2);
    expect(grew('route="none",status="404"')).toBe(1);
    expect(grew('route="none",status="405"')).toBe(1);
    expect(grew('route="none",status="401"')).toBe(1);
  });
});

function from(address: string): Record<string, string> {
  return { 'x-forwarded-for': address };
}
