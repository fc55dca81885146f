import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnBound } from './bound-process.js';
import { freePort } from './free-port.js';
import { requireProgram } from './require-program.js';

/** Options of a Redis that has, after a `kill` and `restart`, whatever it had acknowledged. */
export const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];

/** A Redis of a test's own, on a free port. `await using` ends it. */
export class RedisServer implements AsyncDisposable {
  /** How often it was started. */
  starts = 0;
  /** Whether SIGSTOP was its last signal. */
  isStopped = false;
  private child: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    /** Where it writes, if its options say so. */
    readonly folder: string,
    private readonly options: readonly string[],
  ) {}

  static async start(options: readonly string[] = []): Promise<RedisServer> {
    requireProgram('redis');
    const server = new RedisServer(await freePort(), await mkdtemp(join(tmpdir(), 'gatehouse-redis-')), options);
    await server.restart();
    return server;
  }

  get isRunning(): boolean {
    return this.child?.exitCode === null && this.child.signalCode === null;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it, after `kill`: with the data that it has written, if its options say that it writes any. */
  async restart(): Promise<void> {
    await readiness(this.begin());
  }

  /** As `restart`, with more options; it may not serve yet. */
  begin(more: readonly string[] = []): ChildProcess {
    const { port, folder } = this;
    const fixed = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--daemonize', 'no'];
    const child = spawnBound(requireProgram('redis'), [...fixed, ...this.options, ...more], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.child = child;
    this.starts += 1;
    this.isStopped = false;
    return child;
  }

  /** SIGSTOP leaves it connected and silent, until SIGCONT. */
  signal(signal: NodeJS.Signals): void {
    this.isStopped = signal === 'SIGSTOP';
    this.child?.kill(signal);
  }

  async kill(): Promise<void> {
    const { child } = this;
    if (!child || !this.isRunning) return;
    const ended = once(child, 'close');
    child.kill('SIGKILL');
    await ended;
  }

  /** After `kill`: what it had written is gone. */
  async loseData(): Promise<void> {
    await rm(join(this.folder, 'appendonlydir'), { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Resolves when it serves; fails when it ends before. */
function readiness(child: ChildProcess): Promise<void> {
  let output = '';
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => reject(new Error(`Redis ended: ${output}`)));
    child.stdout?.on('data', (chunk: Buffer) => {
      // From then on it is read and dropped, for a full pipe would stop Redis.
      if (output.includes('Ready to accept connections')) return;
      output += chunk.toString();
      if (output.includes('Ready to accept connections')) resolve();
    });
  });
}
