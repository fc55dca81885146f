import { spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdtempSync, readdirSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { OUTBOX_SCHEMA } from '../../src/outbox/schema.js';
import { spawnBound } from './bound-process.js';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';
import { onceARun } from './once-a-run.js';
import { requireProgram } from './require-program.js';

/** PostgreSQL refuses to run as root. */
const ACCOUNT = process.getuid?.() === 0 ? accountOf('nobody') : undefined;
const USER = 'gatehouse';

interface Account {
  readonly uid: number;
  readonly gid: number;
}

function accountOf(name: string): Account {
  const [uid, gid] = ['-u', '-g'].map((option) => Number(spawnSync('id', [option, name], { encoding: 'utf8' }).stdout));
  return { uid: uid ?? 0, gid: gid ?? 0 };
}

type Connection = pg.Client & AsyncDisposable;

/** A PostgreSQL of a test's own with the schema of the outbox, on a free port. `await using` ends it. */
export class PostgresServer implements AsyncDisposable {
  private child: ChildProcess | undefined;
  private idle: { readonly client: Connection; readonly database: string } | undefined;

  private constructor(
    readonly port: number,
    private readonly folder: string,
  ) {}

  static async start(): Promise<PostgresServer> {
    const server = new PostgresServer(await freePort(), await initialized());
    await server.restart();
    await server.query(OUTBOX_SCHEMA);
    return server;
  }

  get url(): string {
    return `postgres://${USER}@127.0.0.1:${this.port}/postgres`;
  }

  /** Starts it, after `kill`. */
  async restart(): Promise<void> {
    const { port, folder } = this;
    // What a killed process had committed is in the page cache, so that fsync would only cost time.
    const options = ['fsync=off', 'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=60'];
    const settings = options.flatMap((option) => ['-c', option]);
    const child = spawnBound(requireProgram('postgres'), ['-D', folder, '-p', String(port), ...settings], {
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd: folder,
      // SIGTERM would wait for every client.
      deathSignal: 'KILL',
      ...ACCOUNT,
    });
    let output = '';
    child.stderr?.on('data', (text: Buffer) => (output = `${output}${text.toString()}`.slice(-10_000)));
    this.child = child;
    await eventually('PostgreSQL answers', async () => {
      if (child.exitCode !== null) throw new Error(`PostgreSQL ended: ${output}`);
      return this.query('SELECT 1').then(
        () => true,
        () => false,
      );
    });
  }

  /** As a crash: its processes end at once, and what was committed is there after a `restart`. */
  async kill(): Promise<void> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'close');
    // Immediate shutdown: it ends its children too, whom SIGKILL would leave behind with the shared memory.
    child.kill('SIGQUIT');
    await ended;
  }

  /** Runs statements on a connection that nothing else uses meanwhile. One is kept: to open it costs more than they do. */
  async query<Row extends object>(text: string, values?: unknown[], database = 'postgres'): Promise<Row[]> {
    const client = this.takeIdle(database) ?? (await this.connect(database));
    try {
      const { rows } = await client.query<Row>(text, values);
      this.keep(client, database);
      return rows;
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw error;
    }
  }

  private takeIdle(database: string): Connection | undefined {
    const { idle } = this;
    if (idle?.database !== database) return undefined;
    this.idle = undefined;
    return idle.client;
  }

  private keep(client: Connection, database: string): void {
    void this.idle?.client[Symbol.asyncDispose]();
    this.idle = { client, database };
  }

  async connect(database = 'postgres'): Promise<Connection> {
    const client = new pg.Client({ host: '127.0.0.1', port: this.port, user: USER, database });
    client.on('error', () => {});
    client.once('end', () => {
      if (this.idle?.client === client) this.idle = undefined;
    });
    try {
      await client.connect();
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    const dispose = async (): Promise<void> => client.end().catch(() => undefined);
    return Object.assign(client, { [Symbol.asyncDispose]: dispose });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.idle?.client[Symbol.asyncDispose]();
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** The folder of a new database. Copying the first one of a run costs a tenth of another initdb. */
async function initialized(): Promise<string> {
  const folder = privateFolder();
  const first = await onceARun('postgres', async (path) => {
    initialize(folder);
    copy(folder, `${path}.part`);
    await rename(`${path}.part`, path);
  });
  if (first === undefined) initialize(folder);
  else if (readdirSync(folder).length === 0) copy(`${first}/.`, folder);
  return folder;
}

function privateFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-postgres-'));
  chmodSync(folder, 0o700);
  if (ACCOUNT) chownSync(folder, ACCOUNT.uid, ACCOUNT.gid);
  return folder;
}

function initialize(folder: string): void {
  const command = join(dirname(requireProgram('postgres')), 'initdb');
  const parameters = ['-D', folder, '-U', USER, '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
  const { status, stderr } = spawnSync(command, parameters, { encoding: 'utf8', cwd: folder, ...ACCOUNT });
  if (status !== 0) throw new Error(`initdb failed: ${stderr}`);
}

/** With owners, which PostgreSQL checks and Node's own `cp` does not keep. */
function copy(from: string, to: string): void {
  const { status, stderr } = spawnSync('cp', ['-a', from, to], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`cp failed: ${stderr}`);
}
