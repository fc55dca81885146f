import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { loadSettings, type Environment } from '../../../config/settings.js';
import { settingsOf } from '../../../config/settings-source.js';
import { settingsOfWorker } from '../../../config/settings-of-worker.js';
import { WORKER_VARIABLE, workerOfProcess, type WorkerIdentity } from '../../../config/worker-identity.js';

const WITH_KEY: Environment = { NODE_ENV: 'test', JWT_SECRET: 'a-secret-of-tests-with-enough-characters' };
const load = (more: Environment) => loadSettings({ ...WITH_KEY, ...more });

describe('WORKERS', () => {
  it('is one process unless it is set, and as many as there are cores with auto', () => {
    expect(load({}).workers).toMatchObject({ count: 1, socket: undefined, self: undefined });
    expect(load({ WORKERS: '8' }).workers.count).toBe(8);
    expect(load({ WORKERS: 'auto' }).workers.count).toBe(Math.min(64, availableParallelism()));
  });

  it.each(['0', '-1', '1000', 'x', '1.5', '2 workers', 'AUTO'])('refuses %s, and says what it must be', (WORKERS) => {
    expect(() => load({ WORKERS })).toThrow(
      `WORKERS must be auto, or a whole number from 1 to 64; it is ${JSON.stringify(WORKERS)}`,
    );
  });

  it('refuses a SERVER_ID to which no number can be added', () => {
    const SERVER_ID = 'x'.repeat(62);
    expect(load({ SERVER_ID }).server.serverId).toBe(SERVER_ID);
    expect(() => load({ SERVER_ID, WORKERS: '2' })).toThrow(/SERVER_ID must be at most 61 characters/);
  });

  it('is refused on an edge node, whose store is for one process', () => {
    const edge = { EDGE_UPSTREAM: 'ws://centre/ws', EDGE_TOKEN: 'token', EDGE_DIR: '/tmp' };
    expect(() => load({ ...edge, WORKERS: '2' })).toThrow(/WORKERS must be 1 on an edge node/);
  });

  it('is refused in a host application, which starts its own processes', () => {
    const environment = { ...WITH_KEY, WORKERS: '2' };
    expect(() => settingsOf({ environment })).toThrow(/WORKERS must be 1 in a host application/);
  });
});

describe('the settings of a worker', () => {
  const worker: WorkerIdentity = { number: 3, count: 4, serverId: 'host', engine: '/run/engine.sock', greets: false };

  it('are its share of what is limited for the machine, and no limit stays none', () => {
    const machine = load({
      WORKERS: '4',
      MAX_CONNECTIONS: '10',
      INBOUND_BUDGET_BYTES: '0',
      OUTBOUND_BUDGET_BYTES: '4000',
    });
    const settings = settingsOfWorker(machine, worker);
    expect(settings.connections.max).toBe(3);
    expect(settings.inbound.budgetBytes).toBe(0);
    expect(settings.outbound.budgetBytes).toBe(1_000);
    // Counted over all workers by the engine.
    expect(settings.connections.maxPerIp).toBe(machine.connections.maxPerIp);
    expect(settings.channels).toBe(machine.channels);
  });

  it('have its name, its port and the secret of the machine', () => {
    const settings = settingsOfWorker(load({ PORT: '0' }), { ...worker, port: 4_711, developmentSecret: 'made' });
    expect(settings.server).toMatchObject({ serverId: 'host-3', port: 4_711 });
    expect(settings.authentication.jwtSecret).toBe('made');
    expect(settings.workers.self).toMatchObject({ number: 3 });
  });

  it('are those of a worker only where a primary has started the process', () => {
    expect(workerOfProcess({})).toBeUndefined();
    expect(workerOfProcess({ [WORKER_VARIABLE]: JSON.stringify(worker) })).toEqual(worker);
  });
});
