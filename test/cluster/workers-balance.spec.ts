import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildServer, type Build } from '../support/built-server.js';
import { eventually } from '../support/eventually.js';
import { Scrape } from '../support/scrape.js';
import { connect, type TestClient } from '../support/test-client.js';
import { WorkersProcess } from '../support/workers-process.js';
import { BUSIEST, sessionsOf } from './workers-sessions.js';

/** `npm run test:soak` sets it. Two workers are in workers.spec.ts. */
const CONNECTIONS = Number(process.env.BALANCE_CONNECTIONS ?? 0);

let build: Build;
beforeAll(async () => void (build = await buildServer()));
afterAll(() => build[Symbol.asyncDispose]());

describe.skipIf(CONNECTIONS === 0).each([2, 4])('%i workers', (count) => {
  it('have about as many sessions each, on every version of Node', async () => {
    await using machine = await WorkersProcess.start(build, {
      WORKERS: String(count),
      MAX_CONNECTIONS_PER_IP: '10000',
      MAX_CONNECTIONS_PER_USER: '10000',
      CONNECTION_RATE_PER_IP: '10000',
    });
    const clients: TestClient[] = [];
    while (clients.length < CONNECTIONS) clients.push(await connect(`ws://127.0.0.1:${machine.port}/ws`));
    let sessions: number[] = [];
    await eventually('all are counted', async () => {
      sessions = sessionsOf(await Scrape.of(machine), count);
      return sessions.reduce((sum, ofWorker) => sum + ofWorker, 0) === CONNECTIONS;
    });
    expect(Math.max(...sessions)).toBeLessThan((BUSIEST * CONNECTIONS) / count);
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
  });
});
