import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Environment } from '../../config/settings.js';
import { ServerProcess, type Build } from './built-server.js';
import { eventually } from './eventually.js';
import { fetch } from './fetch.js';
import { connect, type TestClient } from './test-client.js';
import { TEST_SECRET } from './test-server.js';

export const SETTINGS_OF_WORKERS: Environment = {
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
const FEED = 'feed: { subscribe: signed_in, publish: signed_in, presence: true, history: { size: 200000, age: 10m } }';

/** A primary with its workers. */
export class WorkersProcess implements AsyncDisposable {
  private constructor(
    readonly process: ServerProcess,
    readonly port: number,
    private readonly folder: string,
  ) {}

  static async start(build: Build, environment: Environment = {}): Promise<WorkersProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-workers-'));
    const file = join(folder, 'channels.yaml');
    await writeFile(file, `namespaces:\n  ${FEED}\n`);
    const server = await ServerProcess.start(build, {
      ...SETTINGS_OF_WORKERS,
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
