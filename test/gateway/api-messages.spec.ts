import { describe, expect, it } from 'vitest';
import { api } from '../support/api-client.js';
import { sharedServer, sharedServers } from '../support/shared-server.js';
import { connect } from '../support/test-client.js';
import { mintToken, startTestServer } from '../support/test-server.js';

const serverWith = sharedServers();

const text = expect.any(String) as string;

describe('POST /api/publish', () => {
  const shared = sharedServer();

  it('reaches the subscribers, from nobody, and answers with the position', async () => {
    await using server = await startTestServer();
    await using client = await connect(server.url);
    await client.request('subscribe', { channel: 'feed:news' });
    const { status, body } = await api(server, 'POST /api/publish', {
      body: { channel: 'feed:news', data: { headline: 'yes' } },
    });
    expect({ status, body }).toEqual({ status: 200, body: { channel: 'feed:news', epoch: text, seq: 1 } });
    const message = await client.next();
    expect(message).toMatchObject({ type: 'message', channel: 'feed:news', seq: 1, data: { headline: 'yes' } });
    expect(message).not.toHaveProperty('from');
  });

  it('answers without a position in a channel without history', async () => {
    const server = await serverWith();
    const { body } = await api(server, 'POST /api/publish', { body: { channel: 'telemetry:x', data: 1 } });
    expect(body).toEqual({ channel: 'telemetry:x' });
  });

  it.each([[null], [0], [false], [''], [[]], [{ a: null }]])('publishes %j as it is', async (data) => {
    await using client = await connect(shared().url);
    await client.request('subscribe', { channel: 'feed:news' });
    await api(shared(), 'POST /api/publish', { body: { channel: 'feed:news', data } });
    expect((await client.next()).data).toEqual(data);
  });

  it('publishes once for a key, in the body or the header, and answers alike', async () => {
    await using server = await startTestServer();
    const body = { channel: 'feed:news', data: 1 };
    const first = await api(server, 'POST /api/publish', { body: { ...body, idempotencyKey: 'k' } });
    const second = await api(server, 'POST /api/publish', { body, headers: { 'idempotency-key': 'k' } });
    expect(second).toMatchObject({ status: 200, body: first.body });
    expect((await api(server, 'GET /api/channels/feed:news/history')).body).toMatchObject({ seq: 1 });
  });

  it('holds the keys of two callers apart', async () => {
    await using server = await startTestServer();
    const call = { body: { channel: 'feed:news', data: 1 }, headers: { 'idempotency-key': 'k' } };
    await api(server, 'POST /api/publish', call);
    const other = mintToken({ sub: 'another', roles: ['SERVICE'] });
    expect((await api(server, 'POST /api/publish', { ...call, token: other })).body).toMatchObject({ seq: 2 });
  });

  it('does not deliver what has outlived its ttlMs', async () => {
    await using server = await startTestServer();
    await api(server, 'POST /api/publish', { body: { channel: 'feed:news', data: 1, ttlMs: 1 } });
    const publications = async (): Promise<unknown> =>
      ((await api(server, 'GET /api/channels/feed:news/history')).body as { publications: unknown }).publications;
    await expect.poll(publications).toEqual([]);
  });

  it.each(['nowhere:x', 'feed', 'feed:', '__proto__:x', `feed:${'x'.repeat(300)}`])(
    'knows no channel %s',
    async (channel) => {
      const { status, body } = await api(shared(), 'POST /api/publish', { body: { channel, data: 1 } });
      expect({ status, body }).toMatchObject({
        status: 404,
        body: { code: 'UNKNOWN_CHANNEL', detail: 'Unknown channel' },
      });
    },
  );

  it.each([
    [{}, 'channel'],
    [{ channel: 7 }, 'channel'],
    [{ channel: 'feed:x', ttlMs: 0 }, 'ttlMs'],
    [{ channel: 'feed:x', ttlMs: '5' }, 'ttlMs'],
    [{ channel: 'feed:x', idempotencyKey: '' }, 'idempotencyKey'],
    [{ channel: 'feed:x', excludeSession: 's' }, 'excludeSession'],
    [{ channel: 'feed:x', constructor: 1 }, 'constructor'],
    [[], 'body'],
    [3, 'body'],
  ])('refuses %j with 422, and names the field', async (body, field) => {
    const { status, body: answer } = await api(shared(), 'POST /api/publish', { body });
    expect({ status, answer }).toEqual({
      status: 422,
      answer: {
        type: 'about:blank',
        title: 'Unprocessable Entity',
        status: 422,
        detail: 'Validation failed',
        code: 'VALIDATION_FAILED',
        errors: { [field]: expect.any(Array) as unknown },
      },
    });
  });

  it.each([
    ['that differs from the one in the body', 'b'],
    ['that is too long', 'x'.repeat(129)],
  ])('refuses an Idempotency-Key %s', async (_what, key) => {
    const body = { channel: 'feed:x', data: 1, idempotencyKey: 'a' };
    const answer = await api(shared(), 'POST /api/publish', { body, headers: { 'idempotency-key': key } });
    expect(answer).toMatchObject({ status: 422, body: { errors: { 'Idempotency-Key': [text] } } });
  });
});

describe('POST /api/broadcast', () => {
  const shared = sharedServer();

  it('reaches every session, and counts them', async () => {
    await using server = await startTestServer();
    await using alice = await connect(server.url, { claims: { sub: 'alice' } });
    await using bob = await connect(server.url, { claims: { sub: 'bob' }, protocols: ['v1.json'] });
    const { status, body } = await api(server, 'POST /api/broadcast', { body: { data: { text: 'noon' } } });
    expect({ status, body }).toEqual({ status: 200, body: { sessions: 2 } });
    for (const client of [alice, bob]) {
      expect(await client.next()).toMatchObject({ type: 'broadcast', data: { text: 'noon' } });
    }
  });

  it('is sent once for an Idempotency-Key, and answered alike', async () => {
    await using server = await startTestServer();
    await using client = await connect(server.url);
    const call = { body: { type: 'noon', data: 1 }, headers: { 'idempotency-key': 'k' } };
    const answers = [await api(server, 'POST /api/broadcast', call), await api(server, 'POST /api/broadcast', call)];
    expect(answers.map(({ status, body }) => ({ status, body }))).toEqual([
      { status: 200, body: { sessions: 1 } },
      { status: 200, body: { sessions: 1 } },
    ]);
    await api(server, 'POST /api/broadcast', { body: { type: 'last' } });
    expect([(await client.next()).type, (await client.next()).type]).toEqual(['noon', 'last']);
  });

  it('refuses an Idempotency-Key that came with another request', async () => {
    const headers = { 'idempotency-key': 'k' };
    await api(shared(), 'POST /api/broadcast', { body: { data: 1 }, headers });
    const { status, body } = await api(shared(), 'POST /api/broadcast', { body: { data: 2 }, headers });
    expect({ status, body }).toMatchObject({
      status: 422,
      body: { errors: { 'Idempotency-Key': ['was used for another request'] } },
    });
  });

  it.each([{ type: 'error' }, { type: '' }, { type: 'x'.repeat(129) }, { type: 5 }, { to: 'all' }])(
    'refuses %j',
    async (body) => {
      expect((await api(shared(), 'POST /api/broadcast', { body })).status).toBe(422);
    },
  );
});

describe('POST /api/users/{userId}/messages', () => {
  const shared = sharedServer();

  it('reaches every session of the user and nobody else', async () => {
    await using server = await startTestServer();
    await using first = await connect(server.url, { claims: { sub: 'a/b c' } });
    await using second = await connect(server.url, { claims: { sub: 'a/b c' } });
    await using other = await connect(server.url, { claims: { sub: 'other' } });
    const path = `POST /api/users/${encodeURIComponent('a/b c')}/messages`;
    const { status, body } = await api(server, path, { body: { type: 'order.shipped', data: { id: 7 } } });
    expect({ status, body }).toEqual({ status: 200, body: { sessions: 2 } });
    for (const client of [first, second]) {
      expect(await client.next()).toMatchObject({ type: 'order.shipped', data: { id: 7 } });
    }
    expect((await other.request('ping')).type).toBe('ping_reply');
  });

  it('counts no session of a user who is not there', async () => {
    const server = await serverWith();
    const { body } = await api(server, 'POST /api/users/nobody/messages', { body: { data: 1 } });
    expect(body).toEqual({ sessions: 0 });
  });

  it('refuses a user id that no token can have', async () => {
    const { status, body } = await api(shared(), `POST /api/users/${'x'.repeat(257)}/messages`, { body: { data: 1 } });
    expect({ status, body }).toMatchObject({ status: 422, body: { errors: { userId: [text] } } });
  });
});

describe('the audit', () => {
  it('has one line a call that was to change something: who, what, to whom, with what outcome, and no payload', async () => {
    await using server = await startTestServer();
    await api(server, 'POST /api/publish', { body: { channel: 'feed:news', data: 'secret-payload' } });
    await api(server, 'POST /api/publish', { body: { channel: 'nowhere:x', data: 'secret-payload' } });
    await api(server, 'POST /api/broadcast', { body: { data: 'secret-payload' } });
    await api(server, 'POST /api/users/bob/messages', { body: { dat: 'secret-payload' } });
    await api(server, 'GET /api/sessions');
    const audit = server.auditLines.filter(({ event }) => event === 'api_call');
    expect(audit.map(({ who, action, target, outcome }) => [who, action, target, outcome])).toEqual([
      ['backend', 'publish', 'feed:news', 'done'],
      ['backend', 'publish', 'nowhere:x', 404],
      ['backend', 'broadcast', undefined, 'done'],
      ['backend', 'message', 'bob', 422],
    ]);
    expect(JSON.stringify([server.logLines, server.auditLines])).not.toContain('secret-payload');
  });
});
