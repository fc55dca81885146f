import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canReusePort } from '../../src/transport/shared-port.js';
import { api } from '../support/api-client.js';
import { buildServer, ServerProcess, type Build } from '../support/built-server.js';
import { eventually } from '../support/eventually.js';
import { RawClient } from '../support/raw-client.js';
import { RedisServer } from '../support/redis-server.js';
import { Scrape } from '../support/scrape.js';
import { connect, type TestClient } from '../support/test-client.js';
import { mintToken } from '../support/test-server.js';
import { SETTINGS_OF_WORKERS, WorkersProcess } from '../support/workers-process.js';
import { BUSIEST, sessionsOf } from './workers-sessions.js';
import { Follower, Publisher } from './workers-traffic.js';

const CONNECTIONS = 200;
const NO_LIMITS = {
  MESSAGE_RATE: '0',
  CONNECTION_RATE_PER_IP: '0',
  MAX_CONNECTIONS_PER_IP: '0',
  MAX_CONNECTIONS_PER_USER: '0',
};

let build: Build;
beforeAll(async () => void (build = await buildServer()));
afterAll(() => build[Symbol.asyncDispose]());

/** The next message of a type; others are passed over. */
async function awaited(client: TestClient, type: string) {
  for (;;) {
    const message = await client.next();
    if (message.type === type) return message;
  }
}

/** The nodes of all open sessions, as the worker says that happens to answer. */
async function listed(machine: WorkersProcess): Promise<string[]> {
  const { body } = await api(machine, 'GET /api/sessions');
  return (body as { sessions: { nodeId: string }[] }).sessions.map(({ nodeId }) => nodeId).toSorted();
}

/** One machine for all of them, and in this order: to start its three processes takes three seconds of processor time. */
describe('two workers', () => {
  let machine: WorkersProcess;
  beforeAll(async () => void (machine = await WorkersProcess.start(build, NO_LIMITS)));
  afterAll(() => machine[Symbol.asyncDispose]());

  it('are one server: what a client of one publishes reaches those of the other, and is in one history', async () => {
    const [one, other] = (await machine.connectToEach()) as [TestClient, TestClient];
    for (const client of [one, other]) {
      client.send({ type: 'subscribe', id: 's', data: { channel: 'feed:a' } });
      await awaited(client, 'subscribe_reply');
    }
    one.send({ type: 'publish', id: 'p', data: { channel: 'feed:a', data: 'hello' } });
    expect(await awaited(other, 'message')).toMatchObject({ channel: 'feed:a', data: 'hello', seq: 1 });
    other.send({ type: 'history', id: 'h', data: { channel: 'feed:a' } });
    expect(await awaited(other, 'history_reply')).toMatchObject({ data: { publications: [{ data: 'hello' }] } });
    for (const client of [one, other]) await client[Symbol.asyncDispose]();
  });

  it('answer for the machine, whichever is asked', async () => {
    const clients = await machine.connectToEach();
    // Those of the test before may still be on their way out.
    await expect.poll(() => listed(machine)).toEqual(['machine-1', 'machine-2']);
    for (let asked = 0; asked < 4; asked += 1) {
      const scrape = await Scrape.of(machine);
      expect(sessionsOf(scrape, 2)).toEqual([1, 1]);
      expect(scrape.value('gatehouse_workers{state="ready",worker="primary"}')).toBe(2);
      expect(new Set(scrape.labels('process_cpu_seconds_total', 'worker'))).toEqual(new Set(['1', '2', 'primary']));
      expect(scrape.text.match(/^# TYPE gatehouse_sessions /gm)).toHaveLength(1);
      expect(await machine.ready()).toMatchObject({ status: 200, workers: { ready: 2, count: 2 } });
      // A worker that has just started may not know of the other.
      await expect.poll(() => listed(machine)).toEqual(['machine-1', 'machine-2']);
    }
    for (const client of clients) await client[Symbol.asyncDispose]();
  });

  it('share what is limited for the machine', async () => {
    const scrape = await Scrape.of(machine);
    const limits = [1, 2].map((worker) => scrape.value(`gatehouse_max_connections{worker="${worker}"}`));
    expect(limits).toEqual([25_000, 25_000]);
  });

  it('have about as many sessions each, on every version of Node', async () => {
    const clients: TestClient[] = [];
    while (clients.length < CONNECTIONS) clients.push(await connect(`ws://127.0.0.1:${machine.port}/ws`));
    let sessions: number[] = [];
    // Those of the tests before may still be on their way out.
    await eventually('all are counted', async () => {
      sessions = sessionsOf(await Scrape.of(machine), 2);
      return sessions.reduce((sum, ofWorker) => sum + ofWorker, 0) === CONNECTIONS;
    });
    expect(Math.max(...sessions)).toBeLessThan((BUSIEST * CONNECTIONS) / 2);
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
  });

  it('lose one that is killed: its clients recover at the other, and another is started', async () => {
    const [one, other] = (await machine.connectToEach()) as [TestClient, TestClient];
    one.send({ type: 'subscribe', id: 's', data: { channel: 'feed:b' } });
    const { data: position } = await awaited(one, 'subscribe_reply');
    const { epoch, seq } = position as { epoch: string; seq: number };
    // Which of the two it is does not matter: both have a client.
    const [victim = 0] = machine.pids;
    process.kill(victim, 'SIGKILL');
    const lost = await Promise.race([one.closed.then(() => one), other.closed.then(() => other)]);
    const staying = lost === one ? other : one;
    staying.send({ type: 'publish', id: 'p', data: { channel: 'feed:b', data: 'meanwhile' } });
    await awaited(staying, 'publish_reply');
    // Until the primary knows, it may hand a new connection to the dead worker, and nobody would answer.
    await machine.process.wrote(/"msg":"a worker ended; it is started again after a pause"/);
    const { client: back } = await machine.connect();
    back.send({ type: 'subscribe', id: 's', data: { channel: 'feed:b', since: { epoch, seq } } });
    expect(await awaited(back, 'subscribe_reply')).toMatchObject({
      data: { recovered: true, publications: [{ data: 'meanwhile', seq: seq + 1 }] },
    });
    await eventually('both are ready', async () => (await machine.ready()).workers.ready === 2);
    const failures = (await Scrape.of(machine)).value('gatehouse_worker_failures_total{worker="primary"}');
    expect(failures).toBe(1);
    for (const client of [staying, back]) await client[Symbol.asyncDispose]();
  });

  it('are replaced one after the other, under load, and nothing is lost or doubled', async () => {
    const former = machine.pids;
    const followers = Array.from({ length: 4 }, () => new Follower(machine.port));
    const following = followers.map((follower) => follower.follow());
    await eventually('all follow', () => followers.every(({ hasBegun }) => hasBegun));
    const publisher = new Publisher(machine.port);
    const publishing = publisher.publish();
    await eventually('it publishes', () => followers.every(({ got }) => got.length > 20));
    machine.process.signal('SIGHUP');
    await machine.process.wrote(/"msg":"rolling restart: (?:all workers are new|stopped)/);
    expect(machine.process.output).toContain('rolling restart: all workers are new');
    expect(machine.pids.filter((pid) => former.includes(pid))).toEqual([]);

    await publisher.end();
    const all = publisher.published;
    const hasAll = (): boolean => followers.every(({ got, gaps }) => got.length >= all || gaps > 0);
    await eventually('all has arrived', hasAll).catch(() => {
      for (const follower of followers) expect(follower.missing(all), follower.story.join('\n')).toEqual([]);
    });
    for (const follower of followers) follower.end();
    await Promise.all([publishing, ...following]);
    for (const { got, gaps, connections } of followers) {
      expect(gaps).toBe(0);
      expect(got.toSorted((a, b) => Number(a) - Number(b))).toEqual([...Array(all).keys()]);
      // It was let go at least once.
      expect(connections).toBeGreaterThan(1);
    }
  });

  it('let all clients go on SIGTERM, and leave nothing behind', async () => {
    const clients = await machine.connectToEach();
    expect(await machine.remains()).toHaveLength(1);
    machine.process.signal('SIGTERM');
    const closes = await Promise.all(clients.map(({ closed }) => closed));
    expect(closes.map(({ code }) => code)).toEqual([1012, 1012]);
    expect(await machine.process.ended).toEqual({ code: 0, signal: null });
    expect(machine.process.errors).toBe('');
    expect(await machine.remains()).toEqual([]);
  });
});

describe('a primary', () => {
  it('that is killed takes its workers with it: they let their clients go and end', async () => {
    await using machine = await WorkersProcess.start(build);
    const clients = await machine.connectToEach();
    machine.process.signal('SIGKILL');
    const closes = await Promise.all(clients.map(({ closed }) => closed));
    expect(closes.map(({ code }) => code)).toEqual([1012, 1012]);
    // The workers hold its output open: it has ended when they have.
    expect(await machine.process.ended).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('only supervises with Redis, which carries everything between the workers', { tags: ['redis'] }, async () => {
    await using redis = await RedisServer.start();
    await using machine = await WorkersProcess.start(build, { REDIS_URL: redis.url });
    expect(await machine.remains()).toEqual([]);
    const [one, other] = (await machine.connectToEach()) as [TestClient, TestClient];
    other.send({ type: 'subscribe', id: 's', data: { channel: 'feed:a' } });
    await awaited(other, 'subscribe_reply');
    one.send({ type: 'publish', id: 'p', data: { channel: 'feed:a', data: 'hello' } });
    expect(await awaited(other, 'message')).toMatchObject({ data: 'hello' });
    const { workers } = await machine.ready();
    expect(workers.ready).toBe(2);
    for (const client of [one, other]) await client[Symbol.asyncDispose]();
  });

  // With reusePort nobody hands anything on: the kernel does, or it resets what waits (docs/workers.md).
  it.skipIf(canReusePort())('hands on what it has handed to a worker that ends', { tags: ['redis'] }, async () => {
    await using redis = await RedisServer.start();
    await using machine = await WorkersProcess.start(build, { REDIS_URL: redis.url });
    const [leaving = 0] = machine.pids;
    const headers = { Authorization: `Bearer ${mintToken()}` };
    // It hears of connections before it hears that the worker has closed.
    machine.process.signal('SIGSTOP');
    const clients = await Promise.all(Array.from({ length: 8 }, () => RawClient.upgrade(machine.port, { headers })));
    process.kill(leaving, 'SIGTERM');
    await machine.process.wrote(/"event":"stopped"/);
    machine.process.signal('SIGCONT');
    for (const client of clients) expect((await client.answer()).status).toBe(101);
    for (const client of clients) await client[Symbol.asyncDispose]();
  });

  it('exits with 1 and one sentence if no worker can listen', async () => {
    await using taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    await using server = await ServerProcess.start(build, { ...SETTINGS_OF_WORKERS, PORT: String(port) });
    expect(await server.ended).toEqual({ code: 1, signal: null });
    expect(server.errors).toMatch(/^worker \d: Port \d+ is in use\. Stop the program that uses it, or set PORT\n$/);
  });

  it('exits with 1 if its socket cannot be opened', async () => {
    await using server = await ServerProcess.start(build, {
      ...SETTINGS_OF_WORKERS,
      WORKERS_SOCKET: '/proc/engine.sock',
    });
    expect(await server.ended).toEqual({ code: 1, signal: null });
    expect(server.errors).toMatch(/WORKERS_SOCKET: \/proc\/engine\.sock cannot be opened/);
  });
});
