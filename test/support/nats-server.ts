import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { spawnBound } from './bound-process.js';
import { freePort } from './free-port.js';
import { requireProgram } from './require-program.js';

/** A NATS with JetStream of a test's own, on a free port. `await using` ends it. */
export class NatsServer implements AsyncDisposable {
  private child: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly folder: string,
  ) {}

  /** @param config more of its configuration, in its own language */
  static async start(config = ''): Promise<NatsServer> {
    const server = await NatsServer.prepare();
    await writeFile(server.configFile, config);
    await server.restart();
    return server;
  }

  /** One that is not started yet. */
  static async prepare(): Promise<NatsServer> {
    requireProgram('nats');
    const server = new NatsServer(await freePort(), await mkdtemp(join(tmpdir(), 'gatehouse-nats-')));
    await writeFile(server.configFile, '');
    return server;
  }

  private get configFile(): string {
    return join(this.folder, 'server.conf');
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Starts it, after `kill`: with the streams that it had. */
  async restart(): Promise<void> {
    const options = ['-a', '127.0.0.1', '-p', String(this.port), '-js', '-sd', this.folder, '-c', this.configFile];
    const child = spawnBound(requireProgram('nats'), options, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.child = child;
    let output = '';
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', () => reject(new Error(`nats-server ended: ${output}`)));
      child.stderr?.on('data', (chunk: Buffer) => {
        if (output.includes('Server is ready')) return;
        output += chunk.toString();
        if (output.includes('Server is ready')) resolve();
      });
    });
  }

  async kill(): Promise<void> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'close');
    child.kill('SIGKILL');
    await ended;
  }

  connect(): Promise<NatsConnection> {
    return connect({ servers: this.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  }

  async addStream(name: string, ...subjects: string[]): Promise<void> {
    await using connection = await this.connect();
    await (await jetstreamManager(connection)).streams.add({ name, subjects });
  }

  /** Stores messages in their stream, in this order. */
  async store(messages: readonly (readonly [subject: string, payload: string | Uint8Array])[]): Promise<void> {
    await using connection = await this.connect();
    const client = jetstream(connection);
    for (const [subject, payload] of messages) await client.publish(subject, payload);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}
