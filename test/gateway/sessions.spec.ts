import { once } from 'node:events';
import { Injectable, Module } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import type { Session } from '../../src/sessions/session.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { SessionsModule } from '../../src/sessions/sessions.module.js';
import { RawClient } from '../support/raw-client.js';
import { sharedServers } from '../support/shared-server.js';
import { connect, type TestClient } from '../support/test-client.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';

const serverWith = sharedServers();

function sessionsOf({ app }: TestServer): SessionRegistry {
  return app.get(SessionRegistry, { strict: false });
}

async function sessionIdOf(client: TestClient): Promise<string> {
  return ((await client.request('hello')).data as { sessionId: string }).sessionId;
}

const via = (address: string, sub: string) => ({ claims: { sub }, headers: { 'x-forwarded-for': address } });

describe('the registry of sessions', () => {
  it('finds a session by its id, its user and its address', async () => {
    await using server = await startTestServer({ TRUST_PROXY: '1' });
    const sessions = sessionsOf(server);
    await using phone = await connect(server.url, via('203.0.113.1', 'alice'));
    await using laptop = await connect(server.url, via('203.0.113.2', 'alice'));
    await using bob = await connect(server.url, via('203.0.113.2', 'bob'));
    const ids = await Promise.all([phone, laptop, bob].map(sessionIdOf));
    const idsOf = (found: readonly Session[]): Set<string> => new Set(found.map(({ id }) => id));

    expect(ids.map((id) => sessions.get(id)?.userId)).toEqual(['alice', 'alice', 'bob']);
    expect(idsOf(sessions.ofUser('alice'))).toEqual(new Set([ids[0], ids[1]]));
    expect(idsOf(sessions.ofAddress('203.0.113.2'))).toEqual(new Set([ids[1], ids[2]]));
    expect(idsOf([...sessions])).toEqual(new Set(ids));
    expect([sessions.size, sessions.countOfUser('alice'), sessions.countOfUser('carol')]).toEqual([3, 2, 0]);

    const visited: Session[] = [];
    sessions.forEach((session) => visited.push(session));
    expect(idsOf(visited)).toEqual(new Set(ids));
  });

  it.each(['', 'x', 'no-such-session', '__proto__', '😀'])('finds nothing under %j', async (id) => {
    const server = await serverWith();
    await using client = await connect(server.url);
    await sessionIdOf(client);
    const sessions = sessionsOf(server);
    expect([sessions.get(id), sessions.ofUser(id), sessions.ofAddress(id)]).toEqual([undefined, [], []]);
  });

  it('keeps nobody who is anonymous under a user id', async () => {
    await using server = await startTestServer({ AUTH_MODE: 'optional' });
    await using client = await connect(server.url, { claims: false });
    const session = sessionsOf(server).get(await sessionIdOf(client));
    expect(session?.userId).toMatch(/^anonymous:/);
    expect(sessionsOf(server).countOfUser(session?.userId ?? '')).toBe(0);
  });

  it.each<[string, (client: TestClient, session: Session) => void, number, string]>([
    ['the client says goodbye', ({ socket }) => socket.close(1000, 'bye'), 1000, 'bye'],
    ['it does so without a code', ({ socket }) => socket.close(), 1005, ''],
    ['it has a code of its own', ({ socket }) => socket.close(4999), 4999, ''],
    ['it vanishes', ({ socket }) => socket.terminate(), 1006, ''],
    ['the server ends the session', (_, session) => session.close('ended_by_operator'), 4409, 'Session ended'],
    ['the server cuts the connection', (_, session) => session.connection.terminate(), 1006, ''],
  ])('forgets a session when %s, and says how it ended', async (_how, end, code, reason) => {
    await using server = await startTestServer();
    const sessions = sessionsOf(server);
    await using client = await connect(server.url);
    await using other = await connect(server.url);
    const [id, otherId] = [await sessionIdOf(client), await sessionIdOf(other)];
    const session = sessions.get(id);
    const closed = once(sessions.events, 'closed');
    if (session) end(client, session);

    expect(await closed).toEqual([session, code, reason]);
    expect(sessions.get(id)).toBeUndefined();
    expect(sessions.ofUser('alice').map((one) => one.id)).toEqual([otherId]);
    expect(sessions.ofAddress('127.0.0.1').map((one) => one.id)).toEqual([otherId]);
    expect(sessions.size).toBe(1);
  });

  it('can be injected by any module that imports the sessions', async () => {
    @Injectable()
    class Roster {
      constructor(readonly sessions: SessionRegistry) {}
    }
    @Module({ imports: [SessionsModule], providers: [Roster] })
    class RosterModule {}

    await using server = await startTestServer({}, [RosterModule]);
    await using client = await connect(server.url);
    const id = await sessionIdOf(client);
    expect(server.app.get(Roster, { strict: false }).sessions.get(id)?.userId).toBe('alice');
  });
});

describe('a session that the server ends', () => {
  it('is not listened to any more, however long its client leaves the close frame unanswered', async () => {
    await using server = await startTestServer();
    await using witness = await connect(server.url, { claims: { sub: 'bob' } });
    await sessionIdOf(witness);
    await using client = await RawClient.upgrade(server.port, { headers: { Authorization: `Bearer ${mintToken()}` } });
    await client.answer();
    const [session] = sessionsOf(server).ofUser('alice');
    session?.close('token_expired');
    expect((await client.frame()).payload.readUInt16BE(0)).toBe(4401);
    client.send({ type: 'broadcast', data: 'from beyond' });
    client.send({ type: 'send_message', data: { targetUserId: 'bob', message: 'from beyond' } });
    client.socket.end();
    await client.closed();

    expect(await witness.request('echo', 'nothing came before this')).toMatchObject({ type: 'echo_reply' });
    expect(session?.messagesReceived).toBe(0);
  });

  it('takes nothing that is sent to it afterwards', async () => {
    await using server = await startTestServer();
    await using client = await connect(server.url);
    const session = sessionsOf(server).get(await sessionIdOf(client));
    expect(session?.send({ type: 'news' })).toBe(true);
    session?.close('ended_by_operator');
    expect(session?.send({ type: 'news' })).toBe(false);
    expect(await client.next()).toMatchObject({ type: 'news' });
    expect(await client.closed).toEqual({ code: 4409, reason: 'Session ended' });
    expect(client.unread).toEqual([]);
  });
});
