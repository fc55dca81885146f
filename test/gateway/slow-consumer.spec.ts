import { describe, expect, it } from 'vitest';
import { Broadcaster } from '../../src/broadcast/broadcaster.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { eventually } from '../support/eventually.js';
import { Scrape } from '../support/scrape.js';
import { connect, type TestClient } from '../support/test-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

const KIB = 1024;
const MESSAGE = 'x'.repeat(64 * KIB);
const DROPPED = (reason: string): string => `websocket_dropped_messages_total{reason="${reason}"}`;

function parts(server: TestServer) {
  const sessions = server.app.get(SessionRegistry, { strict: false });
  return { sessions, broadcaster: server.app.get(Broadcaster, { strict: false }) };
}

/** Broadcasts until so few sessions are left; the honest client reads along. Returns how many messages it took. */
async function flood(server: TestServer, honest: TestClient, sessionsLeft: number): Promise<number> {
  const { sessions, broadcaster } = parts(server);
  const open = (): number => [...sessions].filter(({ connection }) => connection.readyState === 1).length;
  let sent = 0;
  while (open() > sessionsLeft) {
    if (sent === 5_000) throw new Error('the slow readers were never cut');
    broadcaster.toEveryone().emit('tick', { n: sent, MESSAGE });
    expect(await honest.next()).toMatchObject({ type: 'tick', data: { n: sent } });
    sent += 1;
  }
  return sent;
}

describe('a reader that stops', () => {
  it('is cut with 4008 when its queue is full, is counted, and disturbs nobody', async () => {
    await using server = await startTestServer({ OUTBOUND_QUEUE_BYTES: String(256 * KIB) });
    await using honest = await connect(server.url);
    await using slow = await connect(server.url);
    slow.socket.pause();
    const before = await Scrape.of(server);
    await flood(server, honest, 1);
    const after = await Scrape.of(server);
    expect(after.since(before, DROPPED('slow_consumer'))).toBeGreaterThan(0);
    expect(await honest.request('echo', 'undisturbed')).toMatchObject({ data: 'undisturbed' });

    slow.socket.resume();
    expect(await slow.closed).toEqual({ code: 4008, reason: 'Slow consumer' });
    const numbers = slow.unread.map(({ data }) => (data as { n: number }).n);
    expect(numbers).toEqual(numbers.map((_, index) => index));
    await eventually('it is forgotten', () => parts(server).sessions.size === 1);
    expect((await Scrape.of(server)).value('websocket_outbound_queue_bytes')).toBe(0);
  });

  it('and never reads again is cut off all the same', async () => {
    await using server = await startTestServer({ OUTBOUND_QUEUE_BYTES: String(64 * KIB), HEARTBEAT_INTERVAL_MS: '0' });
    await using honest = await connect(server.url);
    await using slow = await connect(server.url);
    slow.socket.pause();
    await flood(server, honest, 1);
    await eventually('its session is gone', () => parts(server).sessions.size === 1);
  });

  it('does not grow the memory beyond the bound of its queue', async () => {
    await using server = await startTestServer({ OUTBOUND_QUEUE_BYTES: String(1024 * KIB) });
    await using honest = await connect(server.url);
    const slow: TestClient[] = [];
    for (let n = 0; n < 10; n += 1) {
      const client = await connect(server.url);
      client.socket.pause();
      slow.push(client);
    }
    const before = process.memoryUsage().arrayBuffers;
    const sent = await flood(server, honest, 1);
    // The same buffers wait in all ten queues; ten copies of what was sent would be far more.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * KIB);
    expect(sent).toBeGreaterThan(16);
    for (const client of slow) await client[Symbol.asyncDispose]();
  });

  it('loses its place first where the budget of the node is used up: the fullest queue goes', async () => {
    await using server = await startTestServer({
      OUTBOUND_QUEUE_BYTES: String(512 * 1024 * KIB),
      OUTBOUND_BUDGET_BYTES: String(4 * 1024 * KIB),
    });
    await using honest = await connect(server.url);
    await using slower = await connect(server.url, { claims: { sub: 'slower' } });
    slower.socket.pause();
    const before = await Scrape.of(server);
    const { broadcaster, sessions } = parts(server);
    // The slower one falls behind before the other stops reading, so its queue is the fuller one.
    while (sessions.ofUser('slower')[0]?.connection.waitingBytes === 0) {
      broadcaster.toUser('slower').emit('tick', { MESSAGE });
      await honest.request('ping');
    }
    for (let n = 0; n < 16; n += 1) broadcaster.toUser('slower').emit('tick', { MESSAGE });
    await using slow = await connect(server.url, { claims: { sub: 'slow' } });
    slow.socket.pause();
    await flood(server, honest, 2);
    const after = await Scrape.of(server);
    expect(after.since(before, DROPPED('node_budget'))).toBeGreaterThan(0);
    expect(after.since(before, DROPPED('slow_consumer'))).toBe(0);
    expect(sessions.ofUser('slow')[0]?.connection.readyState).toBe(1);
    slower.socket.resume();
    slow.socket.resume();
    expect(await slower.closed).toMatchObject({ code: 4008 });
    await eventually(
      'nothing waits any more',
      async () => (await Scrape.of(server)).value('websocket_outbound_queue_bytes') === 0,
    );
  });

  it('may be slow for a while: what fits in its queue arrives whole and in order', async () => {
    await using server = await startTestServer({ OUTBOUND_QUEUE_BYTES: String(64 * 1024 * KIB) });
    await using client = await connect(server.url);
    client.socket.pause();
    const { broadcaster } = parts(server);
    for (let n = 0; n < 300; n += 1) broadcaster.toEveryone().emit('tick', { n, MESSAGE });
    client.socket.resume();
    for (let n = 0; n < 300; n += 1) expect(await client.next()).toMatchObject({ data: { n } });
    expect(await client.request('echo', 'still here')).toMatchObject({ data: 'still here' });
  });

  it('of large replies to its own requests is cut too', async () => {
    await using server = await startTestServer({ OUTBOUND_QUEUE_BYTES: String(256 * KIB) });
    await using client = await connect(server.url);
    client.socket.pause();
    for (let n = 0; n < 400; n += 1) client.send({ type: 'echo', id: n, data: MESSAGE });
    const { sessions } = parts(server);
    await eventually('it is being closed', () => [...sessions].every(({ connection }) => connection.readyState !== 1));
    client.socket.resume();
    expect(await client.closed).toMatchObject({ code: 4008 });
  });
});
