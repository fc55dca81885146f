import { afterEach, describe, expect, it, vi } from 'vitest';
import { Broadcaster } from '../../src/broadcast/broadcaster.js';
import { CODECS } from '../../src/protocol/codecs/subprotocols.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import type { Session } from '../../src/sessions/session.js';
import { eventually } from '../support/eventually.js';
import { Scrape } from '../support/scrape.js';
import { connect, type TestClient } from '../support/test-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { connectWith, WIRES, type WireClient } from '../support/wires.js';

afterEach(() => {
  vi.restoreAllMocks();
});

function parts(server: TestServer) {
  const broadcaster = server.app.get(Broadcaster, { strict: false });
  const sessions = server.app.get(SessionRegistry, { strict: false });
  const sessionOf = (userId: string): Session => {
    const [session] = sessions.ofUser(userId);
    if (session === undefined) throw new Error(`${userId} is not connected`);
    return session;
  };
  return { broadcaster, sessions, sessionOf };
}

/** What a client got until now: all that lies before the reply to its own echo. */
async function received(client: TestClient): Promise<unknown[]> {
  const messages: unknown[] = [];
  client.send({ type: 'echo', id: 'end' });
  for (let message = await client.next(); message['id'] !== 'end'; message = await client.next()) {
    messages.push(message['data']);
  }
  return messages;
}

describe('the Broadcaster', () => {
  it('reaches everyone, a user, a session, a role; without those excepted', async () => {
    await using server = await startTestServer({ AUTH_MODE: 'optional' });
    await using ann = await connect(server.url, { claims: { sub: 'ann', roles: ['MEMBER'] } });
    await using bob = await connect(server.url, { claims: { sub: 'bob', roles: ['MEMBER', 'ADMIN'] } });
    await using bobToo = await connect(server.url, { claims: { sub: 'bob', roles: [] } });
    await using guest = await connect(server.url, { claims: false });
    const { broadcaster, sessionOf } = parts(server);

    const counts = [
      broadcaster.toEveryone().emit('m', 'everyone'),
      broadcaster.toUser('bob').emit('m', 'bob'),
      broadcaster.toUser('nobody').emit('m', 'nobody'),
      broadcaster.toSession(sessionOf('ann').id).emit('m', 'session'),
      broadcaster.toSession('no such session').emit('m', 'no session'),
      broadcaster.toRole('MEMBER').emit('m', 'members'),
      broadcaster.toRole('ADMIN').emit('m', 'admins'),
      broadcaster.toRole('NOBODY').emit('m', 'nobody'),
      broadcaster.toEveryone().except(sessionOf('ann')).emit('m', 'not ann'),
      broadcaster.toUser('ann').except(sessionOf('ann')).emit('m', 'nobody'),
    ];
    expect(counts).toEqual([4, 2, 0, 1, 0, 2, 1, 0, 3, 0]);
    expect(await received(ann)).toEqual(['everyone', 'session', 'members']);
    expect(await received(bob)).toEqual(['everyone', 'bob', 'members', 'admins', 'not ann']);
    expect(await received(bobToo)).toEqual(['everyone', 'bob', 'not ann']);
    expect(await received(guest)).toEqual(['everyone', 'not ann']);
  });

  it('names the publisher only where it is told to, and changes no audience', async () => {
    await using server = await startTestServer();
    await using ann = await connect(server.url, { claims: { sub: 'ann' } });
    const { broadcaster, sessionOf } = parts(server);
    const session = sessionOf('ann');
    const audience = broadcaster.toEveryone();
    audience.from(session).emit('m');
    audience.except(session).emit('m', 'nobody');
    audience.emit('m', null);
    expect(await ann.next()).toEqual({ v: 1, type: 'm', from: { userId: 'ann', sessionId: session.id } });
    expect(await ann.next()).toEqual({ v: 1, type: 'm', data: null });
  });

  it('sends NaN and the infinities as null to all, whatever their codec, and so does a session', async () => {
    await using server = await startTestServer();
    const clients: WireClient[] = [];
    for (const wire of WIRES) clients.push(await connectWith(wire, server.url));
    const { broadcaster, sessions } = parts(server);
    const data = { readings: [NaN, Infinity, -Infinity, 1.5] };
    expect(broadcaster.toEveryone().emit('m', data)).toBe(3);
    for (const session of sessions) session.send({ type: 'm', data });
    for (const client of clients) {
      for (let n = 0; n < 2; n += 1) {
        expect(await client.next()).toMatchObject({ type: 'm', data: { readings: [null, null, null, 1.5] } });
      }
      await client[Symbol.asyncDispose]();
    }
  });

  it('encodes a message once for each codec that has a receiver', async () => {
    await using server = await startTestServer();
    const clients: WireClient[] = [];
    for (let n = 0; n < 12; n += 1) {
      const wire = WIRES[n % 2] ?? WIRES[0];
      if (wire) clients.push(await connectWith(wire, server.url));
    }
    const counters = Object.entries(CODECS).map(([name, codec]) => ({ name, encode: vi.spyOn(codec, 'encode') }));
    expect(parts(server).broadcaster.toEveryone().emit('m', { n: 1 })).toBe(12);
    const encoded = counters.filter(({ encode }) => encode.mock.calls.length > 0);
    expect(encoded.map(({ name, encode }) => [name, encode.mock.calls.length])).toEqual([
      ['v1.json', 1],
      ['v1.binary', 1],
    ]);
    for (const client of clients) {
      expect(await client.next()).toEqual({ v: 1, type: 'm', data: { n: 1 } });
      await client[Symbol.asyncDispose]();
    }
  });

  it('counts what was sent once a receiver', async () => {
    await using server = await startTestServer();
    await using first = await connect(server.url);
    await using second = await connect(server.url);
    const before = await Scrape.of(server);
    parts(server).broadcaster.toEveryone().emit('counted.message');
    await first.next();
    await second.next();
    const after = await Scrape.of(server);
    expect(after.since(before, 'websocket_messages_sent_total{type="counted.message"}')).toBe(2);
  });

  it('throws where the data cannot be written, and nobody gets anything', async () => {
    await using server = await startTestServer();
    await using client = await connect(server.url);
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    const { broadcaster } = parts(server);
    expect(() => broadcaster.toEveryone().emit('m', cycle)).toThrow(RangeError);
    expect(() => broadcaster.toEveryone().emit('m', () => 1)).toThrow(TypeError);
    expect(await received(client)).toEqual([]);
  });

  it('does not count those who are going', async () => {
    await using server = await startTestServer();
    await using staying = await connect(server.url, { claims: { sub: 'ann' } });
    await using going = await connect(server.url, { claims: { sub: 'bob' } });
    const { broadcaster, sessions, sessionOf } = parts(server);
    sessionOf('bob').close('ended_by_operator');
    expect(broadcaster.toEveryone().emit('m', 1)).toBe(1);
    expect(await going.closed).toMatchObject({ code: 4409 });
    await eventually('bob is forgotten', () => sessions.size === 1);
    expect(broadcaster.toUser('bob').emit('m', 2)).toBe(0);
    expect(await received(staying)).toEqual([1]);
  });
});
