import { execFileSync } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Environment } from '../../config/settings.js';
import { api } from '../support/api-client.js';
import { buildServer, ServerProcess, type Build } from '../support/built-server.js';
import { eventually } from '../support/eventually.js';
import { RedisServer } from '../support/redis-server.js';
import { Scrape } from '../support/scrape.js';
import { connect, type TestClient } from '../support/test-client.js';
import { TEST_SECRET } from '../support/test-server.js';

const SETTINGS: Environment = {
  NODE_ENV: 'test',
  JWT_SECRET: TEST_SECRET,
  SERVER_ID: 'machine',
  WORKERS: '2',
  RECONNECT_WINDOW_MS: '0',
  // A busy machine must not make a worker or the primary look silent.
  WORKERS_START_TIMEOUT_MS: '600000',
  REDIS_TIMEOUT_MS: '60000',
  DRAIN_TIMEOUT_MS: '60000',
};
const FEED = 'feed: { subscribe: signed_in, publish: signed_in, presence: true, history: { size: 1000, age: 10m } }';

let build: Build;
beforeAll(async () => void (build = await buildServer()));
afterAll(() => build[Symbol.asyncDispose]());

/** A primary with its workers. */
class WorkersProcess implements AsyncDisposable {
  private constructor(
    readonly process: ServerProcess,
    readonly port: number,
    private readonly folder: string,
  ) {}

  static async start(environment: Environment = {}): Promise<WorkersProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-workers-'));
    const file = join(folder, 'channels.yaml');
    await writeFile(file, `namespaces:\n  ${FEED}\n`);
    const server = await ServerProcess.start(build, {
      ...SETTINGS,
      CHANNELS_FILE: file,
      TMPDIR: folder,
      ...environment,
    });
    await server.wrote(/"msg":"all workers listen"/);
    return new WorkersProcess(server, await server.port(), folder);
  }

  get http(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Of the workers, in the order of their start. */
  get pids(): number[] {
    // setpriv replaces itself by the primary.
    const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(this.process.pid)], { encoding: 'utf8' });
    return children.trim().split(/\s+/).map(Number);
  }

  /** What is left in its temporary folder. */
  async remains(): Promise<string[]> {
    return (await readdir(this.folder)).filter((name) => name !== 'channels.yaml');
  }

  async connect(): Promise<{ client: TestClient; worker: string }> {
    const client = await connect(`ws://127.0.0.1:${this.port}/ws`);
    const { data } = await client.request('hello');
    return { client, worker: (data as { nodeId: string }).nodeId };
  }

  /** Clients of different workers: the first of each that comes. */
  async connectToEach(): Promise<TestClient[]> {
    const byWorker = new Map<string, TestClient>();
    await eventually('each worker has a client', async () => {
      const { client, worker } = await this.connect();
      if (byWorker.has(worker)) await client[Symbol.asyncDispose]();
      else byWorker.set(worker, client);
      return byWorker.size === 2;
    });
    expect([...byWorker.keys()].toSorted()).toEqual(['machine-1', 'machine-2']);
    return [...byWorker.values()];
  }

  async ready(): Promise<{ status: number; workers: { ready: number; workers: Record<string, unknown>[] } }> {
    const response = await fetch(`${this.http}/ready`);
    const { details } = (await response.json()) as { details: { workers: never } };
    return { status: response.status, workers: details.workers };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true });
  }
}

/** The next message of a type; others are passed over. */
async function awaited(client: TestClient, type: string) {
  for (;;) {
    const message = await client.next();
    if (message.type === type) return message;
  }
}

describe('two workers', () => {
  let machine: WorkersProcess;
  beforeAll(async () => void (machine = await WorkersProcess.start()));
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
    for (let asked = 0; asked < 4; asked += 1) {
      const scrape = await Scrape.of(machine);
      const sessionsOf = (worker: number) => scrape.value(`gatehouse_sessions{protocol="v1.json",worker="${worker}"}`);
      expect([sessionsOf(1), sessionsOf(2)]).toEqual([1, 1]);
      expect(scrape.value('gatehouse_workers{state="ready",worker="primary"}')).toBe(2);
      expect(new Set(scrape.labels('process_cpu_seconds_total', 'worker'))).toEqual(new Set(['1', '2', 'primary']));
      expect(scrape.text.match(/^# TYPE gatehouse_sessions /gm)).toHaveLength(1);
      expect(await machine.ready()).toMatchObject({ status: 200, workers: { ready: 2, count: 2 } });
      const { body } = await api(machine, 'GET /api/sessions');
      const { sessions } = body as { sessions: { nodeId: string }[] };
      expect(sessions.map(({ nodeId }) => nodeId).toSorted()).toEqual(['machine-1', 'machine-2']);
    }
    for (const client of clients) await client[Symbol.asyncDispose]();
  });

  it('share what is limited for the machine', async () => {
    const scrape = await Scrape.of(machine);
    const limits = [1, 2].map((worker) => scrape.value(`gatehouse_max_connections{worker="${worker}"}`));
    expect(limits).toEqual([25_000, 25_000]);
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
});

describe('a primary', () => {
  it('lets all clients go on SIGTERM, and leaves nothing behind', async () => {
    await using machine = await WorkersProcess.start();
    const clients = await machine.connectToEach();
    expect(await machine.remains()).toHaveLength(1);
    machine.process.signal('SIGTERM');
    const closes = await Promise.all(clients.map(({ closed }) => closed));
    expect(closes.map(({ code }) => code)).toEqual([1012, 1012]);
    expect(await machine.process.ended).toEqual({ code: 0, signal: null });
    expect(machine.process.errors).toBe('');
    expect(await machine.remains()).toEqual([]);
  });

  it('that is killed takes its workers with it: they let their clients go and end', async () => {
    await using machine = await WorkersProcess.start();
    const clients = await machine.connectToEach();
    machine.process.signal('SIGKILL');
    const closes = await Promise.all(clients.map(({ closed }) => closed));
    expect(closes.map(({ code }) => code)).toEqual([1012, 1012]);
    // The workers hold its output open: it has ended when they have.
    expect(await machine.process.ended).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('only supervises with Redis, which carries everything between the workers', { tags: ['redis'] }, async () => {
    await using redis = await RedisServer.start();
    await using machine = await WorkersProcess.start({ REDIS_URL: redis.url });
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

  it('exits with 1 and one sentence if no worker can listen', async () => {
    await using taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    await using server = await ServerProcess.start(build, { ...SETTINGS, PORT: String(port) });
    expect(await server.ended).toEqual({ code: 1, signal: null });
    expect(server.errors).toMatch(/^worker \d: Port \d+ is in use\. Stop the program that uses it, or set PORT\n$/);
  });

  it('exits with 1 if its socket cannot be opened', async () => {
    await using server = await ServerProcess.start(build, { ...SETTINGS, WORKERS_SOCKET: '/proc/engine.sock' });
    expect(await server.ended).toEqual({ code: 1, signal: null });
    expect(server.errors).toMatch(/WORKERS_SOCKET: \/proc\/engine\.sock cannot be opened/);
  });
});
