import { mkdir, rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { RedisServer } from './redis-server.js';

/** How often a server is asked whether its last client is gone. */
const LOOKS = 10;
const BETWEEN_MS = 20;

interface Idle {
  readonly server: RedisServer;
  /** Our own connection to it. */
  readonly client: Redis;
  readonly starts: number;
  readonly settings: string;
}

/** At most one: the test files of one process run one after the other. */
let idle: Idle | undefined;

/** A Redis that a test borrows. `await using` gives it back. */
export interface BorrowedRedis extends AsyncDisposable {
  readonly server: RedisServer;
}

/**
 * An empty Redis, started only if none is idle: each start takes 0.2 s of processor time. It ends with this process. One that
 * a test has killed or set otherwise, or that still has clients, is not used again.
 */
export async function borrowRedis(): Promise<BorrowedRedis> {
  const lent = idle ?? (await startOne());
  idle = undefined;
  await mkdir(lent.server.folder, { recursive: true });
  return { server: lent.server, [Symbol.asyncDispose]: () => giveBack(lent) };
}

async function startOne(): Promise<Idle> {
  const server = await RedisServer.start();
  const client = new Redis(server.url, { retryStrategy: () => null });
  client.on('error', () => {});
  return { server, client, starts: server.starts, settings: await settingsOf(client) };
}

async function giveBack(lent: Idle): Promise<void> {
  const isAlike = await isAsStarted(lent).catch(() => false);
  if (isAlike && idle === undefined) {
    idle = lent;
    // It may be the last time: nothing is left behind then.
    await rm(lent.server.folder, { recursive: true });
    return;
  }
  lent.client.disconnect();
  await lent.server[Symbol.asyncDispose]();
}

async function isAsStarted({ server, client, starts, settings }: Idle): Promise<boolean> {
  if (!server.isRunning || server.isStopped || server.starts !== starts || client.status !== 'ready') return false;
  if ((await settingsOf(client)) !== settings || !(await isAlone(client))) return false;
  await client.flushall();
  await client.script('FLUSH');
  return true;
}

async function settingsOf(client: Redis): Promise<string> {
  return JSON.stringify([await client.call('CONFIG', 'GET', '*'), await client.call('ACL', 'LIST')]);
}

/** A client that is left would write into the data of the next test. */
async function isAlone(client: Redis): Promise<boolean> {
  for (let look = 0; look < LOOKS; look += 1) {
    const clients = String(await client.call('CLIENT', 'LIST')).trim();
    if (clients.split('\n').length === 1) return true;
    await pause(BETWEEN_MS);
  }
  return false;
}
