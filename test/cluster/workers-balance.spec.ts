import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildServer, type Build } from '../support/built-server.js';
import { eventually } from '../support/eventually.js';
import { Scrape } from '../support/scrape.js';
import { connect, type TestClient } from '../support/test-client.js';
import { WorkersProcess } from '../support/workers-process.js';

const CONNECTIONS = 1_000;
/**
 * Of the mean. With reusePort the kernel takes a worker by a hash, which is within 1.2; node:cluster goes round, and leaves
 * out a worker that has not taken its last connection yet.
 */
const BUSIEST = 1.5;

let build: Build;
beforeAll(async () => void (build = await buildServer()));
afterAll(() => build[Symbol.asyncDispose]());

async function sessionsOf(machine: WorkersProcess, count: number): Promise<number[]> {
  const scrape = await Scrape.of(machine);
  return Array.from({ length: count }, (_, index) =>
    scrape.value(`gatehouse_sessions{protocol="v1.json",worker="${index + 1}"}`),
  );
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

describe.each([2, 4])('%i workers', (count) => {
  it('have about as many sessions each, on every version of Node', async () => {
    await using machine = await WorkersProcess.start(build, {
      WORKERS: String(count),
      MAX_CONNECTIONS_PER_IP: '10000',
      MAX_CONNECTIONS_PER_USER: '10000',
      CONNECTION_RATE_PER_IP: '10000',
    });
    const clients: TestClient[] = [];
    while (clients.length < CONNECTIONS) clients.push(await connect(`ws://127.0.0.1:${machine.port}/ws`));
    await eventually('all are counted', async () => sum(await sessionsOf(machine, count)) === CONNECTIONS);
    const sessions = await sessionsOf(machine, count);
    expect(Math.max(...sessions)).toBeLessThan((BUSIEST * CONNECTIONS) / count);
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
  });
});
