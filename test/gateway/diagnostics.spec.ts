import { Injectable, Module, type OnModuleInit } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { SubscribeMessage } from '@nestjs/websockets';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { writeHeapSnapshot } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { beforeAll, describe, expect, it } from 'vitest';
import { Broadcaster } from '../../src/broadcast/broadcaster.js';
import { RealtimeGateway } from '../../src/dispatch/realtime-gateway.js';
import { DeepLook } from '../../src/observability/diagnostics/deep-look.js';
import { HeapSnapshots, SnapshotWriter } from '../../src/observability/diagnostics/heap-snapshots.js';
import { HeapWatch } from '../../src/observability/diagnostics/heap-watch.js';
import { GatehouseError } from '../../src/protocol/gatehouse-error.js';
import { api, type ApiAnswer } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { fetch } from '../support/fetch.js';
import { heldHandler } from '../support/held-handler.js';
import { holdUpEventLoop } from '../support/hold-up.js';
import { RawClient } from '../support/raw-client.js';
import { Scrape } from '../support/scrape.js';
import { StoppedClock } from '../support/stopped-clock.js';
import { connect } from '../support/test-client.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';

const token = mintToken({ sub: 'root', roles: ['ADMIN'] });
const SNAPSHOT = 'POST /api/diagnostics/heap-snapshot';
const CPU_PROFILE = 'POST /api/diagnostics/cpu-profile';
const ENDPOINTS = [
  'GET /api/diagnostics',
  'GET /api/diagnostics/handlers',
  'GET /api/diagnostics/queues',
  'POST /api/diagnostics/heap-profile',
  CPU_PROFILE,
  SNAPSHOT,
];

function ask(server: TestServer, endpoint: string, body?: object): Promise<ApiAnswer> {
  return api(server, endpoint, { token, ...(body && { body }) });
}

/** Asks, and leaves the answer to be read, or not. */
async function begin({ port }: TestServer, path: string, body = '{}'): Promise<IncomingMessage> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const asking = request({ host: '127.0.0.1', port, path, method: 'POST', headers });
  asking.end(body);
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  return answer;
}

/** Stands where a handler is to take a time of its own. */
let clock: StoppedClock | undefined;

/** A gateway with a slow handler, one that fails slowly, and one that keeps the processor busy. */
@RealtimeGateway()
class SlowGateway {
  @SubscribeMessage('slow')
  slow(): string {
    clock?.pass(400);
    return 'done';
  }

  @SubscribeMessage('slow_refusal')
  refuse(): never {
    clock?.pass(60);
    throw new GatehouseError('FORBIDDEN');
  }

  @SubscribeMessage('busy')
  keepTheProcessorBusy(): string {
    holdUpEventLoop(60);
    return 'done';
  }
}

@Module({ providers: [SlowGateway] })
class SlowModule {}

interface HandlersBody {
  readonly handlers: readonly { type: string; count: number; p50Ms: number; p99Ms: number; maxMs: number }[];
  readonly slowest: readonly { type: string; ms: number; at: number; sessionId: string; outcome: string }[];
  readonly running: readonly { type: string; handler: string; ms: number; sessionId: string }[];
  readonly runningTotal: number;
}

interface QueueBody {
  readonly sessions: number;
  readonly bytes: number;
  readonly messages: number;
  readonly top: readonly { sessionId: string; userId: string; bytes: number; messages: number }[];
}

interface QueuesBody {
  readonly outbound: QueueBody;
  readonly inbound: QueueBody & { readonly paused: number };
  readonly door: { readonly connections: number; readonly upgrades: number };
}

describe('/api/diagnostics', () => {
  it('is open to the role ADMIN alone, about this node alone, and tells how it is', async () => {
    await using server = await startTestServer({ HEAP_SNAPSHOTS: 'off' });
    for (const endpoint of ENDPOINTS) {
      expect({ endpoint, status: (await api(server, endpoint)).status }).toEqual({ endpoint, status: 403 });
      expect({ endpoint, status: (await api(server, endpoint, { token: false })).status }).toEqual({
        endpoint,
        status: 401,
      });
    }
    expect((await ask(server, 'GET /api/diagnostics?nodeId=test-node')).status).toBe(200);
    expect(await ask(server, 'GET /api/diagnostics?nodeId=another')).toMatchObject({
      status: 404,
      body: { detail: 'No such node' },
    });
    expect((await ask(server, CPU_PROFILE, { seconds: 61 })).status).toBe(422);
    expect((await ask(server, 'GET /api/diagnostics/queues?limit=101')).status).toBe(422);
    expect(await ask(server, SNAPSHOT)).toMatchObject({
      status: 403,
      body: { detail: 'HEAP_SNAPSHOTS is off on this node' },
    });
    await using client = await connect(server.url);
    await client.request('echo', 1);
    const { status, body } = await ask(server, 'GET /api/diagnostics');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      nodeId: 'test-node',
      nodeVersion: process.version,
      pid: process.pid,
      state: 'ready',
      sessions: { open: 1, queuedBytes: 0, slowReaders: 0 },
    });
    const { memory, heapSpaces, eventLoop, resources } = body as {
      memory: Record<string, number>;
      heapSpaces: { name: string; usedBytes: number }[];
      eventLoop: { lagMs: { p50: number; p99: number; max: number }; utilization: number };
      resources: Record<string, number>;
    };
    expect(memory.heapUsedBytes).toBeGreaterThan(1_000_000);
    expect(memory.heapLimitBytes).toBeGreaterThan(memory.heapUsedBytes ?? 0);
    expect(heapSpaces.map(({ name }) => name)).toContain('old_space');
    expect(eventLoop.lagMs.p99).toBeGreaterThanOrEqual(eventLoop.lagMs.p50);
    expect(eventLoop.utilization).toBeLessThanOrEqual(1);
    expect(resources.TCPServerWrap).toBeGreaterThanOrEqual(1);
    // Each request leaves some garbage behind.
    await eventually('a garbage collection is told', async () => {
      const { garbageCollections } = (await ask(server, 'GET /api/diagnostics')).body as {
        garbageCollections: readonly { kind: string; count: number }[];
      };
      return garbageCollections.some(({ kind, count }) => kind === 'minor' && count > 0);
    });
  });

  it('names the slowest handler first, its slow calls with their outcome, and what is running', async () => {
    const { feature, started, release } = heldHandler();
    using stopped = new StoppedClock();
    clock = stopped;
    await using server = await startTestServer({}, [SlowModule, feature]);
    await using client = await connect(server.url);
    await using other = await connect(server.url);
    await client.request('echo', 1);
    await client.request('slow');
    await client.request('slow_refusal');
    other.send({ type: 'hold', id: 1 });
    await started;

    const { handlers, slowest, running, runningTotal } = (await ask(server, 'GET /api/diagnostics/handlers'))
      .body as HandlersBody;
    expect(handlers.map(({ type }) => type)).toEqual(expect.arrayContaining(['slow_refusal', 'echo']));
    expect(handlers[0]).toMatchObject({ type: 'slow', count: 1 });
    expect(handlers[0]?.maxMs).toBeCloseTo(400);
    expect(handlers[0]?.p99Ms).toBeLessThanOrEqual(handlers[0]?.maxMs ?? 0);
    expect(slowest[0]).toMatchObject({ type: 'slow', outcome: 'ok' });
    expect(slowest).toContainEqual(expect.objectContaining({ type: 'slow_refusal', outcome: 'FORBIDDEN' }));
    expect(running).toMatchObject([{ type: 'hold', handler: expect.stringContaining('HoldGateway') as string }]);
    expect(runningTotal).toBe(1);
    expect(running[0]?.sessionId).not.toBe(slowest[0]?.sessionId);
    const short = (await ask(server, 'GET /api/diagnostics/handlers?limit=1')).body as HandlersBody;
    expect([short.handlers.length, short.slowest.length]).toEqual([1, 1]);
    release();
    expect(await other.next()).toMatchObject({ type: 'hold_reply' });
  });

  it('shows for whom something waits: a reader that is stuck, and messages behind a slow handler', async () => {
    const { feature, started, release } = heldHandler();
    await using server = await startTestServer({ MAX_PENDING_MESSAGES: '3' }, [feature]);
    await using stuck = await RawClient.upgrade(server.port, {
      headers: { Authorization: `Bearer ${mintToken({ sub: 'stuck' })}` },
    });
    await stuck.answer();
    stuck.socket.pause();
    await using busy = await connect(server.url, { claims: { sub: 'busy' } });
    for (let id = 0; id < 4; id += 1) busy.send({ type: 'hold', id });
    await started;
    const broadcaster = server.app.get(Broadcaster, { strict: false });
    let body: QueuesBody | undefined;
    await eventually('it shows', async () => {
      broadcaster.toUser('stuck').emit('news', 'x'.repeat(262_144));
      body = (await ask(server, 'GET /api/diagnostics/queues')).body as QueuesBody;
      return body.outbound.bytes > 262_144 && body.outbound.messages > 0 && body.inbound.messages === 3;
    });
    expect(body?.outbound).toMatchObject({ sessions: 1, top: [{ userId: 'stuck' }] });
    expect(body?.inbound).toMatchObject({ sessions: 1, paused: 1, top: [{ userId: 'busy', messages: 3 }] });
    // Whoever asks, at least.
    expect(body?.door.connections).toBeGreaterThanOrEqual(1);
    release();
    for (let id = 0; id < 4; id += 1) await busy.next();
    const later = (await ask(server, 'GET /api/diagnostics/queues')).body as QueuesBody;
    expect(later.inbound).toMatchObject({ sessions: 0, messages: 0, bytes: 0, paused: 0, top: [] });
  });
});

/** Of an empty thread: one of a process that runs tests takes V8 many seconds. */
let snapshot: Buffer;
beforeAll(async () => {
  const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
  await once(worker, 'online');
  snapshot = await buffer(await worker.getHeapSnapshot());
  await worker.terminate();
});

/** Has V8's part done by the snapshot above. In place before anything is measured. */
@Injectable()
class Substitute implements OnModuleInit {
  constructor(private readonly modules: ModuleRef) {}

  onModuleInit(): void {
    expect(this.modules.get(SnapshotWriter, { strict: false })).toEqual({ write: writeHeapSnapshot });
    const snapshots = this.modules.get(HeapSnapshots, { strict: false });
    Reflect.set(snapshots, 'writer', { write: (path: string) => writeFileSync(path, snapshot) });
  }
}

@Module({ providers: [Substitute] })
class SubstituteModule {}

describe('a profile', () => {
  it('names the busy function; another one waits for its end, which a caller that goes away brings about', async () => {
    await using server = await startTestServer({ HEAP_SNAPSHOT_PAUSE_MS: '0' }, [SlowModule, SubstituteModule]);
    await using client = await connect(server.url);
    const leaving = new AbortController();
    const abandoned = fetch(`${server.http}/api/diagnostics/cpu-profile`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: '{"seconds":60}',
      signal: leaving.signal,
    });
    const look = server.app.get(DeepLook, { strict: false });
    await eventually('it has begun', () => look.isUnderWay);
    expect((await ask(server, SNAPSHOT)).status).toBe(409);
    expect((await ask(server, CPU_PROFILE, { seconds: 1 })).status).toBe(409);
    leaving.abort();
    await expect(abandoned).rejects.toThrow('aborted');

    await eventually('it has ended', () => !look.isUnderWay);
    const profiling = begin(server, '/api/diagnostics/cpu-profile', '{"seconds":1}');
    await eventually('the next one has begun', () => look.isUnderWay);
    await client.request('busy');
    const answer = await profiling;
    expect(answer.headers['content-disposition']).toMatch(
      /^attachment; filename="gatehouse-test-node-\S+\.cpuprofile"$/,
    );
    const profile = JSON.parse((await buffer(answer)).toString()) as {
      nodes: { callFrame: { functionName: string } }[];
      samples: number[];
    };
    expect(profile.samples.length).toBeGreaterThan(10);
    expect(profile.nodes.map(({ callFrame }) => callFrame.functionName)).toContain('holdUpEventLoop');
    expect(server.auditLines).toContainEqual(
      expect.objectContaining({ event: 'api_call', who: 'root', action: 'cpu-profile', outcome: 'done' }),
    );
    expect(server.auditLines).toContainEqual(expect.objectContaining({ action: 'cpu-profile', outcome: 499 }));

    const ofHeap = await ask(server, 'POST /api/diagnostics/heap-profile', { seconds: 1 });
    expect(ofHeap).toMatchObject({ status: 200, body: { head: { children: expect.any(Array) as unknown[] } } });
  });
});

async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'gatehouse-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

it('/api/diagnostics is not there with DIAGNOSTICS_ENABLED=off, and snapshots of the threshold are', async () => {
  await using folder = await temporaryFolder();
  const environment = { DIAGNOSTICS_ENABLED: 'off', DIAGNOSTICS_DIR: folder.path, HEAP_SNAPSHOT_PERCENT: '99' };
  await using server = await startTestServer(environment);
  for (const endpoint of ENDPOINTS) {
    expect({ endpoint, status: (await ask(server, endpoint)).status }).toEqual({ endpoint, status: 404 });
  }
  expect(server.app.get(HeapWatch, { strict: false })).toBeInstanceOf(HeapWatch);
});

describe('a heap snapshot', () => {
  it('is handed out once in a while, and is kept nowhere', async () => {
    await using folder = await temporaryFolder();
    await using server = await startTestServer({ DIAGNOSTICS_DIR: folder.path }, [SubstituteModule]);
    const before = await Scrape.of(server);
    const answer = await begin(server, '/api/diagnostics/heap-snapshot');
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-disposition']).toMatch(
      /^attachment; filename="gatehouse-test-node-\d{4}-\d\d-\d\dT\S+Z\.heapsnapshot"$/,
    );
    expect(await readdir(folder.path)).toEqual([]);
    const content = await buffer(answer);
    expect(content.length).toBe(Number(answer.headers['content-length']));
    const { nodes, strings } = JSON.parse(content.toString()) as { nodes: number[]; strings: string[] };
    expect(nodes.length).toBeGreaterThan(1_000);
    expect(strings.length).toBeGreaterThan(100);

    const second = await ask(server, SNAPSHOT);
    expect(second.status).toBe(429);
    expect(Number(second.headers.get('retry-after'))).toBeGreaterThan(30);
    const after = await Scrape.of(server);
    expect(after.since(before, 'gatehouse_heap_snapshots_total{cause="operator"}')).toBe(1);
    expect(after.since(before, 'gatehouse_heap_snapshots_refused_total{reason="too_soon"}')).toBe(1);
    const written = server.logLines.find(({ msg }) => msg === 'heap snapshot written');
    expect(written).toMatchObject({ cause: 'operator', bytes: content.length });
  });

  it('whose caller goes away leaves nothing behind, and the next one is taken', async () => {
    await using folder = await temporaryFolder();
    const environment = { DIAGNOSTICS_DIR: folder.path, HEAP_SNAPSHOT_PAUSE_MS: '0' };
    await using server = await startTestServer(environment, [SubstituteModule]);
    // More than sockets hold: it is under way until it is read.
    const whole = snapshot;
    snapshot = Buffer.concat([whole, Buffer.alloc(33_554_432, ' ')]);
    const abandoned = await begin(server, '/api/diagnostics/heap-snapshot');
    expect((await ask(server, CPU_PROFILE)).status).toBe(409);
    snapshot = whole;
    abandoned.destroy();
    let next: ApiAnswer | undefined;
    await eventually('the next one', async () => (next = await ask(server, SNAPSHOT)).status === 200);
    expect(next?.body).toMatchObject({ snapshot: expect.any(Object) as object });
    expect(await readdir(folder.path)).toEqual([]);
    expect(server.auditLines).toContainEqual(expect.objectContaining({ action: 'heap-snapshot', outcome: 499 }));
  });

  it('is written by itself when memory crosses the threshold: once, and no more than the folder may hold', async () => {
    await using folder = await temporaryFolder();
    const environment = { DIAGNOSTICS_DIR: folder.path, HEAP_SNAPSHOT_PERCENT: '1', DIAGNOSTICS_MAX_FILES: '1' };
    {
      await using server = await startTestServer(environment, [SubstituteModule]);
      const isWritten = (): boolean => server.logLines.some(({ msg }) => msg === 'heap snapshot written');
      await eventually('it is written', isWritten);
      const files = await readdir(folder.path);
      expect(files).toEqual([expect.stringMatching(/^gatehouse-test-node-\S+Z\.heapsnapshot$/)]);
      const file = join(folder.path, files[0] ?? '');
      expect((await readFile(file)).equals(snapshot)).toBe(true);
      const lines = server.logLines.filter(({ msg }) => String(msg).startsWith('heap snapshot'));
      expect(lines).toMatchObject([
        { msg: 'heap snapshot started', cause: 'automatic', file },
        { msg: 'heap snapshot written', cause: 'automatic', file, bytes: snapshot.length },
      ]);
    }
    // As after a restart: the folder is full.
    await using server = await startTestServer(environment, [SubstituteModule]);
    const refusal = (): unknown =>
      server.logLines.find(({ msg }) => String(msg).startsWith('skipped the automatic heap snapshot'));
    await eventually('it is refused', () => refusal() !== undefined);
    expect(refusal()).toMatchObject({ level: 'warn', why: 'DIAGNOSTICS_DIR holds 1 of 1 snapshots' });
    expect(await readdir(folder.path)).toHaveLength(1);
  });
});
