import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { pathOf } from '../../test/support/programs.js';
import type { RedisPlace } from '../load/job.js';
import { startChild, stopChild } from './children.js';
import { freePort } from './free-port.js';

/** Beside the load, so that the servers have their core to themselves. */
const redisCore = 1;
const startDeadlineMs = 10_000;

export interface RunningRedis extends AsyncDisposable {
  readonly place: RedisPlace;
  readonly version: string;
}

/** A fresh Redis on a free port that writes nothing to disk. */
export async function startRedis(): Promise<RunningRedis> {
  const port = await freePort();
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child = startChild([pathOf('redis') ?? 'redis-server', ...options], { core: redisCore });
  let output = '';
  let isReady = false;
  const ready = new Promise<void>((resolve) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      if (isReady) return;
      output += chunk.toString();
      isReady = output.includes('Ready to accept connections');
      if (isReady) resolve();
    });
  });
  const given = new AbortController();
  const late = pause(startDeadlineMs, false, { signal: given.signal }).catch(() => false);
  const inTime = await Promise.race([ready.then(() => true), once(child, 'exit').then(() => false), late]);
  given.abort();
  if (!inTime) {
    await stopChild(child);
    throw new Error(`Redis did not start: ${output.trim().split('\n').at(-1)}`);
  }
  const version = /version[= ]([\d.]+)/i.exec(output)?.[1] ?? 'of unknown version';
  const place = { port, pid: child.pid ?? 0 };
  return { place, version: `Redis ${version}`, [Symbol.asyncDispose]: () => stopChild(child) };
}
