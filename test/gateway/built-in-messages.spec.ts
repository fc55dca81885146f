import { describe, expect, it } from 'vitest';
import { sharedServer } from '../support/shared-server.js';
import { connect } from '../support/test-client.js';
import { mintToken, startTestServer } from '../support/test-server.js';
import { connectWith, WIRES, type Wire } from '../support/wires.js';

const [JSON_WIRE] = WIRES as [Wire];
const now = (): number => Math.floor(Date.now() / 1_000);

describe.each(WIRES)('$subprotocol', (wire) => {
  const shared = sharedServer();

  it.each([
    ['object', { text: 'hé', list: [1, -1, 1.5, null, true, ''], deep: { a: [{}] } }],
    ['text', 'plain'],
    ['zero', 0],
    ['false', false],
    ['null', null],
    ['list', [[], [1]]],
    ['large', { text: 'x'.repeat(70_000) }],
  ])('echo sends the same data back: %s', async (_what, data) => {
    await using client = await connectWith(wire, shared().url);
    expect(await client.request('echo', data, 'c-17')).toEqual({ v: 1, type: 'echo_reply', id: 'c-17', data });
    expect(await client.request('echo', data, -5)).toMatchObject({ id: -5, data });
  });

  it('answers nothing to a request without id whose reply is empty', async () => {
    await using client = await connectWith(wire, shared().url);
    client.send({ type: 'echo' });
    client.send({ type: 'echo', data: 'but this' });
    const reply = await client.next();
    expect(reply).toMatchObject({ type: 'echo_reply', data: 'but this' });
    expect(reply).not.toHaveProperty('id');
    expect(await client.request('echo', undefined, 1)).toEqual({ v: 1, type: 'echo_reply', id: 1 });
  });

  it('ping tells the time of the server', async () => {
    await using client = await connectWith(wire, shared().url);
    const before = Date.now();
    const { type, data } = await client.request('ping');
    const { serverTime } = data as { serverTime: number };
    expect(type).toBe('ping_reply');
    expect(serverTime).toBeGreaterThanOrEqual(before);
    expect(serverTime).toBeLessThanOrEqual(Date.now());
  });

  it('hello tells what the client cannot know, and no more', async () => {
    await using server = await startTestServer({
      HEARTBEAT_INTERVAL_MS: '25000',
      MESSAGE_RATE: '50',
      MESSAGE_BURST: '75',
      MAX_MESSAGE_BYTES: '5000',
    });
    await using client = await connectWith(wire, server.url, { claims: { sub: 'bob', roles: ['MEMBER', 'EDITOR'] } });
    expect(await client.request('hello', {})).toEqual({
      v: 1,
      type: 'hello_reply',
      id: 'r',
      data: {
        sessionId: expect.stringMatching(/^[\da-f-]{36}$/) as string,
        nodeId: 'test-node',
        userId: 'bob',
        roles: ['MEMBER', 'EDITOR'],
        protocol: wire.subprotocol,
        heartbeat: { intervalMs: 25_000, timeoutMs: 300_000 },
        limits: { maxMessageBytes: 5_000, messageRate: 50, messageBurst: 75 },
        serverTime: expect.any(Number) as number,
      },
    });
  });

  it('hello has no user id for an anonymous client', async () => {
    await using server = await startTestServer({ AUTH_MODE: 'optional' });
    await using client = await connectWith(wire, server.url, { claims: false });
    expect(await client.request('hello')).toMatchObject({ data: { userId: null, roles: [] } });
  });

  it('auth_refresh extends the session and takes over the roles', async () => {
    await using client = await connectWith(wire, shared().url, { claims: { sub: 'bob', exp: now() + 5 } });
    const exp = now() + 7_200;
    const token = mintToken({ sub: 'bob', roles: ['NEW'], exp });
    expect(await client.request('auth_refresh', { token })).toMatchObject({ data: { expiresAt: exp * 1_000 } });
    expect(await client.request('hello')).toMatchObject({ data: { userId: 'bob', roles: ['NEW'] } });
  });

  it('auth_refresh refuses a bad token and that of another, and the session stays as it was', async () => {
    await using client = await connectWith(wire, shared().url, { claims: { sub: 'bob', roles: ['OLD'] } });
    const refresh = (token: unknown) => client.request('auth_refresh', { token }, 'a');
    expect(await refresh(mintToken({ sub: 'eve', roles: ['ADMIN'] }))).toMatchObject({ id: 'a', code: 'FORBIDDEN' });
    expect(await refresh(mintToken({ sub: 'bob' }, 'a-secret-of-somebody-else-entirely'))).toMatchObject({
      code: 'UNAUTHENTICATED',
    });
    expect(await refresh(mintToken({ sub: 'bob', exp: now() - 100 }))).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await refresh('no token')).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await refresh(5)).toMatchObject({ code: 'VALIDATION_FAILED', details: expect.anything() as object });
    expect(await client.request('hello')).toMatchObject({ data: { userId: 'bob', roles: ['OLD'] } });
  });

  it('broadcast reaches every open connection whatever it speaks, the sender too', async () => {
    await using sender = await connectWith(wire, shared().url, { claims: { sub: 'bob' } });
    const { sessionId } = (await sender.request('hello')).data as { sessionId: string };
    for (const other of WIRES) {
      await using receiver = await connectWith(other, shared().url);
      sender.send({ type: 'broadcast', data: { text: 'hi', n: [1] } });
      const expected = { v: 1, type: 'broadcast', data: { text: 'hi', n: [1] }, from: { userId: 'bob', sessionId } };
      expect(await receiver.next()).toEqual(expected);
      expect(await sender.next()).toEqual(expected);
    }
    expect(await sender.request('broadcast', 1, 'b')).toMatchObject({ type: 'broadcast', data: 1 });
    expect(await sender.next()).toEqual({ v: 1, type: 'broadcast_reply', id: 'b' });
  });

  it('send_message reaches every session of that user and nobody else', async () => {
    await using sender = await connectWith(wire, shared().url, { claims: { sub: 'bob' } });
    const { sessionId } = (await sender.request('hello')).data as { sessionId: string };
    await using phone = await connectWith(wire, shared().url, { claims: { sub: 'carol' } });
    await using laptop = await connect(shared().url, { claims: { sub: 'carol' } });
    await using stranger = await connect(shared().url, { claims: { sub: 'eve' } });
    const message = { text: 'psst', deep: { toString: 1 } };
    expect(await sender.request('send_message', { targetUserId: 'carol', message })).toMatchObject({
      type: 'send_message_reply',
      data: { sessions: 2 },
    });
    const expected = { v: 1, type: 'direct_message', data: { from: { userId: 'bob', sessionId }, message } };
    expect(await phone.next()).toEqual(expected);
    expect(await laptop.next()).toEqual(expected);
    expect(await sender.request('send_message', { targetUserId: 'nobody', message })).toMatchObject({
      data: { sessions: 0 },
    });
    expect(await sender.request('send_message', { targetUserId: 'carol' }, 's')).toMatchObject({
      id: 's',
      code: 'VALIDATION_FAILED',
    });
    expect(await stranger.request('ping')).toMatchObject({ type: 'ping_reply' });
    expect(stranger.unread).toEqual([]);
  });
});

describe.each(WIRES.filter(({ subprotocol }) => subprotocol !== 'v1.json'))('$subprotocol', (wire) => {
  const shared = sharedServer();

  it('carries bytes: a JSON client sees them in base64, binary clients as they are', async () => {
    await using sender = await connectWith(wire, shared().url);
    const bytes = Buffer.from('00ff10c3', 'hex');
    for (const data of [bytes, { file: bytes }]) {
      for (const other of WIRES) {
        await using receiver = await connectWith(other, shared().url);
        sender.send({ type: 'broadcast', data });
        const got = (await receiver.next()).data;
        const content = data === bytes ? got : (got as { file: unknown }).file;
        if (other === JSON_WIRE) expect(content).toBe(bytes.toString('base64'));
        else expect(Buffer.from(content as Uint8Array)).toEqual(bytes);
        await sender.next();
      }
    }
    const { data } = await sender.request('echo', bytes);
    expect(Buffer.from(data as Uint8Array)).toEqual(bytes);
  });
});

describe('aliases', () => {
  const shared = sharedServer();

  it.each(WIRES.filter(({ subprotocol }) => subprotocol !== 'v2.proto'))(
    'event and payload are read as type and data: $subprotocol',
    async (wire) => {
      await using client = await connectWith(wire, shared().url);
      client.send({ event: 'echo', payload: { a: 1 }, id: 1 });
      expect(await client.next()).toEqual({ v: 1, type: 'echo_reply', id: 1, data: { a: 1 } });
      client.send({ type: 'echo', event: 'ping', data: null, payload: 'not this', id: 2 });
      expect(await client.next()).toEqual({ v: 1, type: 'echo_reply', id: 2, data: null });
    },
  );
});
