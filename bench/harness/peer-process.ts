import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Server } from '../load/job.js';
import type { Peer } from '../peers/catalogue.js';
import { lastWords, startChild, stopChild } from './children.js';

const serverCore = 0;
const startDeadlineMs = 20_000;

export interface RunningPeer extends AsyncDisposable {
  readonly server: Server;
  /** As the peer itself names it; null where it says nothing. */
  readonly version: string | null;
}

/** A fresh server on a free port: no run inherits the heap or the compiled code of the one before. */
export async function startPeer(peer: Peer): Promise<RunningPeer> {
  const port = await freePort();
  const jwtSecret = randomBytes(32).toString('hex');
  const environment = { ...peer.environment, PORT: String(port), JWT_SECRET: jwtSecret };
  const child = startChild(peer.program, { core: serverCore, environment });
  const words = lastWords(child);
  try {
    const version = await readiness(peer, child, port);
    const server: Server = { port, pid: child.pid ?? 0, dialect: peer.dialect, jwtSecret };
    return { server, version, [Symbol.asyncDispose]: () => stopChild(child) };
  } catch (error) {
    await stopChild(child);
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
  const ready =
    peer.readyPath === null ? readyLine(child) : answering(`http://127.0.0.1:${port}${peer.readyPath}`, given);
  if (peer.readyPath !== null) child.stdout?.resume();
  try {
    return await Promise.race([ready, died, late]);
  } finally {
    late.catch(() => undefined); // its own abort
    died.catch(() => undefined); // the later end of a peer that has done its work
    given.abort();
  }
}

function readyLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      const line = /^ready (.+)$/m.exec(chunk.toString());
      if (line?.[1]) resolve(line[1]);
    });
  });
}

async function answering(url: string, given: AbortController): Promise<null> {
  while (!given.signal.aborted) {
    const status = await fetch(url, { signal: AbortSignal.timeout(1_000) }).then(
      (response) => response.status,
      () => 0, // not listening yet
    );
    if (status === 200) return null;
    await pause(50);
  }
  return null;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
