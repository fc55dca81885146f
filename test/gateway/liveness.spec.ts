import { SubscribeMessage } from '@nestjs/websockets';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, vi } from 'vitest';
import { RealtimeGateway } from '../../src/dispatch/realtime-gateway.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import type { Session } from '../../src/sessions/session.js';
import { trafficOf, unsentBytes } from '../../src/socket/traffic.js';
import { eventually } from '../support/eventually.js';
import { feature as testFeature } from '../support/feature.js';
import { heldHandler } from '../support/held-handler.js';
import { standStill } from '../support/hold-up.js';
import { RawClient } from '../support/raw-client.js';
import { Scrape } from '../support/scrape.js';
import { StoppedClock } from '../support/stopped-clock.js';
import { connect, type TestClient } from '../support/test-client.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';

const QUICK = { HEARTBEAT_INTERVAL_MS: '60', HEARTBEAT_TIMEOUT_MS: '150' };

/** The timers of this process stand still but for what a test lets pass: a starved client would be late with its pong. */
class StoppedTimers implements Disposable {
  constructor() {
    vi.useFakeTimers({ toFake: ['setInterval', 'setTimeout', 'clearInterval', 'clearTimeout'] });
  }

  /** Resolves when what is due is done. */
  async pass(milliseconds: number): Promise<void> {
    vi.advanceTimersByTime(milliseconds);
    for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Lets time pass until something has come of it. */
  async until<T>(event: Promise<T>): Promise<T> {
    const seen = { isOver: false };
    void event.then(() => (seen.isOver = true));
    while (!seen.isOver) await this.pass(10);
    return event;
  }

  [Symbol.dispose](): void {
    vi.useRealTimers();
  }
}

/** A paused socket goes on to fill its own buffer. */
async function nothingMoreIsRead(socket: Socket): Promise<void> {
  let read = socket.bytesRead;
  for (let quietTurns = 0; quietTurns < 30; quietTurns += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    if (socket.bytesRead > read) quietTurns = 0;
    read = socket.bytesRead;
  }
}

const MIB = 1_048_576;
const TEXT = 0x1;
const PING = 0x9;

async function silentClient({ port }: TestServer): Promise<RawClient> {
  const client = await RawClient.upgrade(port, { headers: { Authorization: `Bearer ${mintToken()}` } });
  expect((await client.answer()).status).toBe(101);
  return client;
}

function sessionsOf({ app }: TestServer): SessionRegistry {
  return app.get(SessionRegistry, { strict: false });
}

function socketOf(session: Session | undefined): Socket {
  return Reflect.get(session?.connection ?? {}, '_socket') as Socket;
}

describe('a client that is there', () => {
  it.each([
    ['longer than', '60', '200'],
    ['as long as', '100', '100'],
    ['shorter than', '150', '100'],
  ])('stays while it answers pings, with a timeout %s the interval', async (_how, interval, timeout) => {
    using timers = new StoppedTimers();
    await using server = await startTestServer({ HEARTBEAT_INTERVAL_MS: interval, HEARTBEAT_TIMEOUT_MS: timeout });
    await using client = await connect(server.url);
    const [session] = sessionsOf(server);
    if (session === undefined) throw new Error('no session');
    for (let pings = 0; pings < 8; pings += 1) {
      const answered = once(session.connection, 'pong');
      await timers.pass(Number(interval));
      await answered;
    }
    await timers.pass(Number(timeout));
    expect(await client.request('echo', 'still here')).toMatchObject({ data: 'still here' });
  });

  it('stays without a single pong as long as anything comes from it', async () => {
    using timers = new StoppedTimers();
    await using server = await startTestServer(QUICK);
    await using client = await silentClient(server);
    for (let pings = 0; pings < 8; pings += 1) {
      await timers.pass(60);
      expect((await client.frame()).opcode).toBe(PING);
      client.send({ type: 'echo', data: pings });
      expect((await client.frame()).opcode).toBe(TEXT);
    }
    await timers.pass(150);
    expect(sessionsOf(server).size).toBe(1);
  });

  it('stays while the server itself does not read, because a handler is slow', async () => {
    using timers = new StoppedTimers();
    const { feature, started, release } = heldHandler();
    await using server = await startTestServer({ ...QUICK, MAX_PENDING_MESSAGES: '1' }, [feature]);
    await using busy = await connect(server.url);
    // More than the socket's own buffer takes, so that its pongs are stuck behind messages.
    for (let id = 0; id < 6; id += 1) busy.send({ type: 'hold', id, data: 'x'.repeat(100_000) });
    await started;
    const [session] = sessionsOf(server);
    await eventually('it does not read', () => session?.connection.isPaused === true);

    // Two clients that vanish, one after the other, show that this one was judged as well.
    for (let round = 0; round < 2; round += 1) await timers.until((await silentClient(server)).closed());
    release();
    for (let id = 0; id < 6; id += 1) expect(await busy.next()).toMatchObject({ type: 'hold_reply', id });
  });

  it('stays when reading resumes just before it is judged, and its pong has not been read', async () => {
    using timers = new StoppedTimers();
    const { feature, started, release } = heldHandler();
    await using server = await startTestServer({ ...QUICK, MAX_PENDING_MESSAGES: '1' }, [feature]);
    await using busy = await connect(server.url);
    // The second pauses reading; the third is more than the socket's own buffer takes, so that the pong is stuck behind it.
    for (let id = 0; id < 3; id += 1) busy.send({ type: 'hold', id, data: 'x'.repeat(id === 2 ? 1_000_000 : 1) });
    await started;
    const [session] = sessionsOf(server);
    await eventually('it does not read', () => session?.connection.isPaused === true);
    await nothingMoreIsRead(Reflect.get(session?.connection ?? {}, '_socket') as Socket);
    const pinged = once(busy.socket, 'ping');
    await timers.pass(60);
    await pinged;
    // In one turn of the event loop, and nothing is read between the two.
    setImmediate(release);
    await timers.pass(150);
    for (let id = 0; id < 3; id += 1) expect(await busy.next()).toMatchObject({ type: 'hold_reply', id });
    expect(sessionsOf(server).size).toBe(1);
  });

  it('stays when the process stands still for the whole timeout before the ping has left', async () => {
    using timers = new StoppedTimers();
    await using server = await startTestServer(QUICK);
    await using client = await connect(server.url);
    // In one turn, at whose end the ping is written.
    await timers.pass(60 + 150);
    expect(await client.request('echo', 'still here')).toMatchObject({ data: 'still here' });
    expect(sessionsOf(server).size).toBe(1);
  });

  it('stays when its pong has come while the process stood still', async () => {
    await using server = await startTestServer({ HEARTBEAT_INTERVAL_MS: '100', HEARTBEAT_TIMEOUT_MS: '100' });
    const pongs = new Int32Array(new SharedArrayBuffer(4));
    // In a thread of its own, which goes on meanwhile. Its pong has left when it tells of the ping.
    const source = `
      const { WebSocket } = require('ws');
      const { workerData: pongs } = require('node:worker_threads');
      new WebSocket('${server.url}?token=${mintToken()}').on('ping', () => {
        Atomics.add(pongs, 0, 1);
        Atomics.notify(pongs, 0);
      });`;
    const client = new Worker(source, { eval: true, workerData: pongs });
    await eventually('it is there', () => sessionsOf(server).size === 1);
    const [session] = sessionsOf(server);
    const connection = session?.connection;
    if (connection === undefined) throw new Error('no session');
    const ping = connection.ping.bind(connection);
    let standstills = 0;
    connection.ping = () => {
      const earlier = Atomics.load(pongs, 0);
      const read = ping();
      // The ping has left by the end of this turn.
      setImmediate(() => {
        standstills += 1;
        Atomics.wait(pongs, 0, earlier, 20_000);
        // Longer than the timeout.
        standStill(200);
      });
      return read;
    };
    await eventually('it was judged', () => standstills > 4 || sessionsOf(server).size === 0);
    expect(sessionsOf(server).size).toBe(1);
    await client.terminate();
  });

  it('has its round trips measured', async () => {
    using timers = new StoppedTimers();
    using clock = new StoppedClock();
    await using server = await startTestServer(QUICK);
    const earlier = await Scrape.of(server);
    await using _ = await connect(server.url);
    const [session] = sessionsOf(server);
    if (session === undefined) throw new Error('no session');
    for (let pings = 0; pings < 3; pings += 1) {
      const answered = once(session.connection, 'pong');
      const passing = timers.pass(60);
      clock.pass(20);
      await passing;
      await answered;
    }
    const later = await Scrape.of(server);
    expect(later.since(earlier, 'websocket_heartbeat_rtt_seconds_count')).toBe(3);
    expect(later.since(earlier, 'websocket_heartbeat_rtt_seconds_sum')).toBeCloseTo(0.06);
  });
});

describe('a client that vanished without a word', () => {
  it('is gone after interval and timeout, and counted as 1006', async () => {
    using timers = new StoppedTimers();
    await using server = await startTestServer(QUICK);
    const sessions = sessionsOf(server);
    const earlier = await Scrape.of(server);
    await using client = await silentClient(server);
    const closing = once(sessions.events, 'closed');
    await timers.pass(60);
    expect((await client.frame()).payload).toEqual(Buffer.alloc(0));
    await timers.pass(149);
    expect(sessions.size).toBe(1);
    await timers.pass(1);
    await client.closed();

    expect(await closing).toMatchObject([{ userId: 'alice' }, 1006, '']);
    expect(sessions.size).toBe(0);
    const later = await Scrape.of(server);
    expect(later.since(earlier, 'websocket_connections_closed_total{code="1006"}')).toBe(1);
    expect(server.logLines.map(({ msg }) => msg)).toContain('client stopped responding');
  });

  it('is gone as well if it still takes what is sent, but reads none of it', async () => {
    using timers = new StoppedTimers();
    await using server = await startTestServer(QUICK);
    await using client = await silentClient(server);
    client.socket.pause();
    await timers.until(once(sessionsOf(server).events, 'closed'));
    expect(sessionsOf(server).size).toBe(0);
  });

  it.each([
    ['all that it was sent, in the buffers of the operating systems', 100_000, 3_000],
    ['a part of a large message that does not fit into them', 9 * MIB, 42_000],
  ])('has as much longer as it may need to read %s', async (_what, length, longerMs) => {
    using timers = new StoppedTimers();
    await using server = await startTestServer(QUICK);
    const sessions = sessionsOf(server);
    await using client = await connect(server.url);
    const [session] = sessions;
    client.send({ type: 'echo', data: 'x'.repeat(length) });
    client.socket.pause();
    await eventually('the reply is sent', () => trafficOf(socketOf(session)).bytesOut > length);
    await eventually('as much is taken as fits', () => unsentBytes(socketOf(session)) > 0 === length > MIB);
    await timers.pass(60);
    await timers.pass(150 + longerMs - 1);
    expect(sessions.size).toBe(1);
    await timers.pass(1);
    expect(sessions.size).toBe(0);
  });

  it('has no longer for what it has read, as its last pong has shown', async () => {
    using timers = new StoppedTimers();
    await using server = await startTestServer(QUICK);
    const sessions = sessionsOf(server);
    await using client = await connect(server.url);
    await client.request('echo', 'x'.repeat(100_000));
    const [session] = sessions;
    if (session === undefined) throw new Error('no session');
    const answered = once(session.connection, 'pong');
    await timers.pass(60);
    await answered;
    client.socket.pause();
    await timers.pass(60);
    await timers.pass(150);
    expect(sessions.size).toBe(0);
  });

  it('takes nobody along', async () => {
    using timers = new StoppedTimers();
    await using server = await startTestServer(QUICK);
    await using client = await connect(server.url);
    await using gone = await silentClient(server);
    const [session] = sessionsOf(server).ofUser('alice');
    if (session === undefined) throw new Error('no session');
    const answered = once(session.connection, 'pong');
    await timers.pass(60);
    await answered;
    await timers.pass(150);
    await gone.closed();
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
    expect(sessionsOf(server).size).toBe(1);
  });
});

describe('a client that sends a FIN while a large reply is on its way', () => {
  const settings = { HEARTBEAT_INTERVAL_MS: '0' };
  /** More than the buffers of both sides take. */
  const LARGE = 'x'.repeat(16 * MIB);

  @RealtimeGateway()
  class LargeGateway {
    @SubscribeMessage('test.large')
    large(): string {
      return LARGE;
    }
  }
  const large = testFeature([LargeGateway]);

  const tcpOf = (client: TestClient): Socket => Reflect.get(client.socket, '_socket') as Socket;

  /** Resolves once the server has seen the FIN of a client that has read nothing. */
  async function halfClosed(server: TestServer): Promise<TestClient> {
    const client = await connect(server.url);
    client.socket.pause();
    client.send({ type: 'test.large' });
    tcpOf(client).end();
    const [session] = sessionsOf(server);
    await eventually('the server has seen its FIN', () => session?.connection.isOpen === false);
    return client;
  }

  it('is cut off if it reads nothing for 5 s', async () => {
    using timers = new StoppedTimers();
    await using server = await startTestServer(settings, [large]);
    await using _ = await halfClosed(server);
    await timers.pass(4_999);
    expect(sessionsOf(server).size).toBe(1);
    await timers.pass(1);
    await eventually('it is gone', () => sessionsOf(server).size === 0);
  });

  it('gets the reply if it reads on', async () => {
    using timers = new StoppedTimers();
    await using server = await startTestServer(settings, [large]);
    await using client = await halfClosed(server);
    const [session] = sessionsOf(server);
    const unsent = (): number => unsentBytes(Reflect.get(session?.connection ?? {}, 'raw') as Socket);
    for (let rounds = 0; rounds < 3 && unsent() > 0; rounds += 1) {
      const left = unsent();
      client.socket.resume();
      await eventually('it has taken something', () => unsent() < left);
      client.socket.pause();
      await timers.pass(5_000);
    }
    client.socket.resume();
    expect((await client.next()).data).toHaveLength(16 * MIB);
    await eventually('it is gone', () => sessionsOf(server).size === 0);
  });

  it('is cut off after a minute, however steadily it reads', async () => {
    using timers = new StoppedTimers();
    await using server = await startTestServer(settings, [large]);
    await using client = await halfClosed(server);
    const [session] = sessionsOf(server);
    // Stands for a reader that takes a little all the time: what has not been taken falls with every look.
    let left = MIB;
    Object.defineProperty(Reflect.get(session?.connection ?? {}, 'raw'), 'writableLength', { get: () => (left -= 1) });
    for (let seconds = 5; seconds < 60; seconds += 5) await timers.pass(5_000);
    expect(sessionsOf(server).size).toBe(1);
    await timers.pass(5_000);
    await eventually('it is gone', () => sessionsOf(server).size === 0);
    expect(client.unread).toEqual([]);
  });
});

describe('without a heartbeat', () => {
  it('nobody is pinged, and nobody is cut', async () => {
    using timers = new StoppedTimers();
    await using server = await startTestServer({ HEARTBEAT_INTERVAL_MS: '0', HEARTBEAT_TIMEOUT_MS: '1' });
    await using other = await startTestServer(QUICK);
    await using quiet = await silentClient(server);
    await timers.until((await silentClient(other)).closed());
    quiet.send({ type: 'echo', data: 1 });
    expect((await quiet.frame()).opcode).toBe(1);
  });
});
