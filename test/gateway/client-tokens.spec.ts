import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SignedOut, type ClientOptions } from '../../packages/client/src/index.js';
import { ExpirySweep } from '../../src/sessions/expiry-sweep.js';
import { api } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { follow, ROOM, useLibrary } from '../support/library-client.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';

const DAY_MS = 86_400_000;

describe('the tokens of @gatehouse/client, on a real server', () => {
  let server: TestServer;
  let users = 0;
  beforeAll(async () => void (server = await startTestServer({ JWT_CLOCK_TOLERANCE_MS: '0' })));
  afterAll(() => server.close());

  /** A user of its own for each test, as revocations are about users and tokens. */
  const nextUser = (): string => `user-${++users}`;
  /** Lets a day pass for the tokens that the server knows: it closes the sessions of all that expire after an hour. */
  const expireAll = (): void => server.app.get(ExpirySweep, { strict: false }).sweep(Date.now() + DAY_MS);
  const publish = (data: unknown) => api(server, 'POST /api/publish', { body: { channel: ROOM, data } });
  const revoke = (kind: string, key: string) => api(server, 'POST /api/revocations', { body: { kind, key } });

  it('are renewed over the same connection before they expire', async () => {
    await using used = useLibrary(server.url, { claims: { exp: Math.floor(Date.now() / 1_000) + 4 } });
    const session = used.client.request('hello').then((reply) => (reply as { sessionId: string }).sessionId);
    await eventually('it is renewed', () => used.reasons.includes('expiring'));
    expect(used.client.getSnapshot().session?.sessionId).toBe(await session);
  });

  it.each([
    ['expired', async () => expireAll()],
    ['is revoked', async (user: string) => revoke('token', `${user}-1`)],
  ])('are asked for once more when one %s, and nothing is lost', async (_what, end) => {
    const user = nextUser();
    const reasons: string[] = [];
    const token: ClientOptions['token'] = ({ reason }) => {
      reasons.push(reason);
      return mintToken({ sub: user, jti: `${user}-${reasons.length}` });
    };
    await using used = useLibrary(server.url, { token });
    const { shown, loads, isLive } = follow(used);
    await isLive();
    await publish('before');
    await eventually('it is shown', () => shown.length === 1);
    const closes: unknown[] = [];
    used.client.subscribe(() => {
      const { state, close } = used.client.getSnapshot();
      if (state === 'waiting') closes.push(close?.code);
    });
    await end(user);
    await publish('during');
    await eventually('it is back', () => used.client.getSnapshot().state === 'open' && shown.length === 2);
    await publish('after');
    await eventually('it is shown', () => shown.length === 3);
    expect({ closes, reasons, shown, loads }).toEqual({
      closes: [4401],
      reasons: ['connect', 'refused'],
      shown: ['before', 'during', 'after'],
      loads: ['first'],
    });
    expect(used.errors).toEqual([]);
  });

  it('may fail, and never come, when one has expired: the client asks again, and nothing is lost', async () => {
    const user = nextUser();
    const reasons: string[] = [];
    const token: ClientOptions['token'] = ({ reason }) => {
      reasons.push(reason);
      if (reasons.length === 2) throw new Error('no network');
      if (reasons.length === 3) return new Promise(() => {});
      return mintToken({ sub: user, jti: `${user}-${reasons.length}` });
    };
    await using used = useLibrary(server.url, { token, tokenTimeoutMs: 100 });
    const { shown, loads, isLive } = follow(used);
    await isLive();
    expireAll();
    await publish('during');
    await eventually('it is back', () => shown.length === 1);
    expect({ reasons, shown, loads }).toEqual({
      reasons: ['connect', 'refused', 'refused', 'refused'],
      shown: ['during'],
      loads: ['first'],
    });
    expect(used.errors.map(({ code }) => code)).toEqual(['TOKEN_FAILED', 'TOKEN_FAILED']);
  });

  it('end the client if the user is signed out when one was revoked', async () => {
    const user = nextUser();
    const token: ClientOptions['token'] = ({ reason }) => {
      if (reason === 'refused') throw new SignedOut();
      return mintToken({ sub: user });
    };
    await using used = useLibrary(server.url, { token });
    await used.client.request('hello');
    await revoke('user', user);
    await eventually('it is over', () => used.client.getSnapshot().state === 'closed');
    await expect(used.client.request('echo')).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('end the client if they are a text that cannot be renewed, and has expired', async () => {
    await using used = useLibrary(server.url, { token: mintToken({ sub: nextUser() }) });
    await used.client.request('hello');
    expireAll();
    await eventually('it is over', () => used.client.getSnapshot().state === 'closed');
    expect(used.client.getSnapshot().close).toMatchObject({ code: 4401, reason: 'Token expired' });
  });

  it('end the client if they are invalid, and it says why', async () => {
    await using used = useLibrary(server.url, { token: 'not.a.token' });
    await expect(used.client.request('echo')).rejects.toMatchObject({ code: 'CLOSED' });
    expect(used.client.getSnapshot()).toMatchObject({ state: 'closed', close: { code: 4403 } });
  });
});
