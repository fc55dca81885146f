import { connect as connectTcp } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ServerState } from '../../src/lifecycle/server-state.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { Session } from '../../src/sessions/session.js';
import { eventually } from '../support/eventually.js';
import { fetch } from '../support/fetch.js';
import { heldHandler } from '../support/held-handler.js';
import { RawClient } from '../support/raw-client.js';
import { StoppedClock } from '../support/stopped-clock.js';
import { connect, type TestClient } from '../support/test-client.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';

const CLOSE = 0x8;
const RESTARTING = { code: 1012, reason: '100' };

async function connectMany({ url }: TestServer, count: number): Promise<TestClient[]> {
  const clients: TestClient[] = [];
  while (clients.length < count) {
    clients.push(...(await Promise.all(Array.from({ length: 50 }, () => connect(url)))));
  }
  return clients;
}

/** Starts to close a server that a handler holds up, and waits until it is draining. */
async function startDraining(server: TestServer): Promise<{ readonly closing: Promise<void> }> {
  const state = server.app.get(ServerState, { strict: false });
  const closing = server.close();
  await eventually('the server drains', () => state.phase === 'draining');
  return { closing };
}

describe('a server that leaves', () => {
  afterEach(() => void vi.restoreAllMocks());

  it('answers what it has taken, in order, before it closes with 1012 and the reconnect window', async () => {
    const { feature, started, release } = heldHandler();
    await using server = await startTestServer({}, [feature]);
    await using client = await connect(server.url);
    client.send({ type: 'hold', id: 'in flight' });
    client.send({ type: 'echo', id: 'behind it', data: 1 });
    await started;
    const { closing } = await startDraining(server);
    release();
    expect(await client.next()).toMatchObject({ type: 'hold_reply', id: 'in flight', data: { done: true } });
    expect(await client.next()).toMatchObject({ type: 'echo_reply', id: 'behind it', data: 1 });
    expect(await client.closed).toEqual(RESTARTING);
    await closing;
  });

  it('takes no new message and no new client, and is not ready any more, but alive', async () => {
    const { feature, started, release, calls } = heldHandler();
    await using server = await startTestServer({}, [feature]);
    await using client = await connect(server.url);
    client.send({ type: 'hold', id: 1 });
    await started;
    const { closing } = await startDraining(server);
    client.send({ type: 'hold', id: 2 });

    await using late = await RawClient.upgrade(server.port, { headers: { Authorization: `Bearer ${mintToken()}` } });
    expect(await late.outcome()).toMatchObject({ close: { code: 1012, reason: 'Server restarting' } });
    const ready = await fetch(`${server.http}/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ status: 'shutting_down', error: { state: { phase: 'draining' } } });
    expect((await fetch(`${server.http}/health`)).status).toBe(200);

    release();
    expect(await client.next()).toMatchObject({ type: 'hold_reply', id: 1 });
    expect(await client.closed).toEqual(RESTARTING);
    await closing;
    expect(calls()).toBe(1);
  });

  it('says goodbye in batches with pauses, and nobody sees 1006', async () => {
    await using server = await startTestServer();
    const clients = await connectMany(server, 250);
    const told: number[] = [];
    vi.spyOn(Session.prototype, 'closeWhenAnswered').mockImplementation(function (this: Session, ...goodbye) {
      told.push(performance.now());
      this.close(...goodbye);
    });
    await server.close();

    const closes = await Promise.all(clients.map(({ closed }) => closed));
    expect(closes).toEqual(clients.map(() => RESTARTING));
    // Batches of a hundred. A timer may fire a millisecond early.
    for (const first of [100, 200]) {
      expect((told[first] ?? 0) - (told[first - 1] ?? 0)).toBeGreaterThanOrEqual(49);
    }
    expect(told).toHaveLength(250);
    expect(server.app.get(SessionRegistry, { strict: false }).size).toBe(0);
  });

  it('cuts a handler that never ends when the time is up, and says 1012 all the same', async () => {
    const { feature, started } = heldHandler();
    await using server = await startTestServer({ DRAIN_TIMEOUT_MS: '900' }, [feature]);
    await using client = await connect(server.url);
    client.send({ type: 'hold', id: 1 });
    await started;
    const startedAt = performance.now();
    await server.close();
    expect(await client.closed).toEqual(RESTARTING);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(300);
  });

  it('gives handlers a share of a time that is very short', async () => {
    const { feature, started, release } = heldHandler();
    await using server = await startTestServer({ DRAIN_TIMEOUT_MS: '400' }, [feature]);
    using _ = new StoppedClock();
    await using client = await connect(server.url);
    client.send({ type: 'hold', id: 1 });
    await started;
    const { closing } = await startDraining(server);
    setImmediate(release);
    expect(await client.next()).toMatchObject({ type: 'hold_reply', id: 1 });
    await closing;
  });

  it('does not wait for a client that leaves the close frame unanswered', async () => {
    await using server = await startTestServer({ DRAIN_TIMEOUT_MS: '900' });
    await using client = await RawClient.upgrade(server.port, { headers: { Authorization: `Bearer ${mintToken()}` } });
    await client.answer();
    await server.close();
    expect((await client.frame()).opcode).toBe(CLOSE);
    await client.closed();
  });

  it.each([
    ['a request that is never finished', 'GET /health HTTP/1.1\r\nHost: x\r\n'],
    ['a connection that never asked anything', ''],
    ['a kept-alive connection', 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n'],
  ])('is not held up by %s', async (_what, text) => {
    await using server = await startTestServer({ DRAIN_TIMEOUT_MS: '900' });
    const socket = connectTcp(server.port, '127.0.0.1');
    await once(socket, 'connect');
    const closed = once(socket, 'close');
    socket.on('error', () => {}).resume();
    socket.write(text);
    // Comes behind the other on the server, so that the other has been accepted by now.
    await fetch(`${server.http}/health`);
    await server.close();
    await closed;
  });

  it('leaves once, however often it is told to', async () => {
    await using server = await startTestServer();
    await using client = await connect(server.url);
    await Promise.all([server.close(), server.close()]);
    expect(await client.closed).toEqual(RESTARTING);
    await expect(fetch(`${server.http}/health`)).rejects.toThrow();
  });
});
