import type { ChildProcess } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import type { BenchCase } from '../cases/bench-case.js';
import type { Server } from '../load/job.js';
import type { TokenKey } from '../load/token.js';
import type { Peer } from '../peers/catalogue.js';
import { lastWords, startChild, stopChild } from './children.js';
import { configurationFolder } from './configuration-folder.js';
import { freePort } from './free-port.js';
import { startRedis } from './redis.js';
import { tokenSource } from './token-source.js';

const serverCore = 0;
/** A busy machine needs a while: the harness must also be provable there. */
const startDeadlineMs = 90_000;

export interface RunningPeer extends AsyncDisposable {
  readonly server: Server;
  /** What it consists of, as the peer itself names it; nothing where it says nothing. */
  readonly version: string | null;
  /** Null where it runs without. */
  readonly redisVersion: string | null;
}

interface Node extends AsyncDisposable {
  readonly server: Server;
  readonly version: string | null;
}

type Wanted = Pick<BenchCase, 'nodes' | 'watchesLoop'>;

/** A fresh server on a free port: no run inherits the heap or the compiled code of the one before. */
export async function startPeer(peer: Peer, { nodes = 1, watchesLoop = false }: Wanted): Promise<RunningPeer> {
  const tokens = await tokenSource(peer.tokens);
  const started: AsyncDisposable[] = [tokens];
  const stop = async (): Promise<void> => void (await Promise.all(started.map((each) => each[Symbol.asyncDispose]())));
  try {
    const redis = peer.onRedis ? await startRedis() : null;
    if (redis) started.push(redis);
    const environment = {
      ...tokens.environment,
      ...(redis ? { REDIS_URL: `redis://127.0.0.1:${redis.place.port}` } : {}),
    };
    const setting = { environment, tokenKey: tokens.key, watchesLoop };
    const first = await startNode(peer, setting);
    started.push(first);
    const { version } = first;
    if (!redis) return { server: first.server, version, redisVersion: null, [Symbol.asyncDispose]: stop };
    const others: Server[] = [];
    while (others.length + 1 < nodes) {
      const other = await startNode(peer, setting);
      started.push(other);
      others.push(other.server);
    }
    const server: Server = { ...first.server, cluster: { others, redis: redis.place } };
    return { server, version, redisVersion: redis.version, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface NodeSetting {
  readonly environment: Readonly<Record<string, string>>;
  readonly tokenKey: TokenKey;
  readonly watchesLoop: boolean;
}

/** All nodes of a peer share one core: what is compared is what they take, not how they spread it. */
async function startNode(peer: Peer, { environment, tokenKey, watchesLoop }: NodeSetting): Promise<Node> {
  const port = await freePort();
  const loopMonitorPort = watchesLoop ? await freePort() : null;
  const folder = peer.configuration === null ? null : configurationFolder(peer.configuration, port);
  const child = startChild(peer.program, {
    core: serverCore,
    environment: {
      ...peer.environment,
      ...environment,
      PORT: String(port),
      ...(loopMonitorPort === null ? {} : { LOOP_MONITOR_PORT: String(loopMonitorPort) }),
    },
    ...(folder === null ? {} : { folder: folder.path }),
  });
  const words = lastWords(child);
  const stop = async (): Promise<void> => {
    await stopChild(child);
    folder?.[Symbol.dispose]();
  };
  try {
    const version = await readiness(peer, child, port);
    const { name, dialect, collectsOnSignal } = peer;
    const server: Server = { name, port, pid: child.pid ?? 0, dialect, tokenKey, collectsOnSignal, loopMonitorPort };
    return { server, version, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    console.error(words());
    throw error;
  }
}

async function readiness(peer: Peer, child: ChildProcess, port: number): Promise<string | null> {
  const given = new AbortController();
  const died = new Promise<never>((_, reject) => {
    child.once('exit', (code, signal) => reject(new Error(`ended before it was ready (${code ?? signal})`)));
    child.once('error', reject);
  });
  const late = pause(startDeadlineMs, undefined, { signal: given.signal }).then(() => {
    throw new Error(`not ready within ${startDeadlineMs / 1_000} s`);
  });
  const { path, version, body = '' } = peer.ready;
  const ready =
    path === null ? readyLine(child, version) : answering(`http://127.0.0.1:${port}${path}`, { version, body, given });
  if (path !== null) child.stdout?.resume();
  try {
    return await Promise.race([ready, died, late]);
  } finally {
    late.catch(() => undefined); // its own abort
    died.catch(() => undefined); // the later end of a peer that has done its work
    given.abort();
  }
}

/** The programs in C write their log to stderr. */
function readyLine(child: ChildProcess, version: RegExp | null): Promise<string | null> {
  return new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        const found = versionIn(chunk.toString(), version);
        if (found !== null) resolve(found);
      });
    }
  });
}

interface Answering {
  readonly version: RegExp | null;
  readonly body: string;
  readonly given: AbortController;
}

async function answering(url: string, { version, body, given }: Answering): Promise<string | null> {
  while (!given.signal.aborted) {
    const answer = await fetch(url, { signal: AbortSignal.timeout(1_000) }).catch(() => null); // not listening yet
    const text = answer?.status === 200 ? await answer.text() : null;
    if (text?.includes(body)) return versionIn(text, version);
    await pause(50);
  }
  return null;
}

/** Name and version, as the groups of the pattern have them. */
function versionIn(text: string, pattern: RegExp | null): string | null {
  return pattern?.exec(text)?.slice(1).join(' ') ?? null;
}
