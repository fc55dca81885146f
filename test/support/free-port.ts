import { once } from 'node:events';
import { createServer } from 'node:net';

/** The bus of a Redis Cluster listens this far above its port. */
const BUS_OFFSET = 10_000;
const FIRST = 12_000;
const COUNT = 10_000;
/** Each process of a test run has every 32nd port to itself, so that none takes what another has found free. */
const PROCESSES = 32;
const PORTS_EACH = Math.floor(COUNT / PROCESSES);

const first = FIRST + (Number(process.env.VITEST_POOL_ID ?? 0) % PROCESSES);
let taken = Math.floor(Math.random() * PORTS_EACH);

/**
 * A port that is free, and so is the one for a cluster's bus. Both lie below those that systems give to outgoing connections
 * (32768 and up): otherwise a client that retries while its server is down could take the port, or reach itself.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    taken = (taken + 1) % PORTS_EACH;
    const port = first + PROCESSES * taken;
    if ((await isFree(port)) && (await isFree(port + BUS_OFFSET))) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  await new Promise((resolve) => server.close(resolve));
  return true;
}
