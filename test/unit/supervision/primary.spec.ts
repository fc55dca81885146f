import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadSettings } from '../../../config/settings.js';
import { Primary } from '../../../src/supervision/primary.js';
import { MAX_FAILURES, WorkersFailed } from '../../../src/supervision/supervisor.js';
import { TEST_ENVIRONMENT } from '../../support/test-server.js';
import { FakeWorkers, type FakeWorker } from './fake-workers.js';

const QUIET = { ...TEST_ENVIRONMENT, LOG_LEVEL: 'silent', WORKERS: '2', PORT: '8080' };

function primaryOf(workers: FakeWorkers, environment: Record<string, string> = {}) {
  const made: { engine: string | undefined; failure: Error | undefined } = { engine: undefined, failure: undefined };
  const primary = new Primary(
    loadSettings({ ...QUIET, ...environment }),
    (error) => (made.failure = error),
    (_settings, engine) => {
      made.engine = engine;
      return workers.start;
    },
  );
  return { primary, made };
}

const refuse = (worker: FakeWorker): void => {
  worker.say({ says: 'failed', reason: 'Port 8080 is in use' });
  worker.exit(1);
};

describe('the primary of several workers', () => {
  it('gives them one engine, and leaves nothing of it behind when it closes', async () => {
    const workers = new FakeWorkers();
    const { primary, made } = primaryOf(workers);
    expect(await primary.start()).toBe(8_080);
    expect(primary.workers.map(({ number, state }) => [number, state])).toEqual([
      [1, 'ready'],
      [2, 'ready'],
    ]);
    const { engine = '' } = made;
    expect(existsSync(engine)).toBe(true);
    await primary.close();
    expect(workers.all.every(({ hasEnded }) => hasEnded)).toBe(true);
    expect(existsSync(dirname(engine))).toBe(false);
  });

  it('gives them no engine if Redis keeps what they share', async () => {
    const { primary, made } = primaryOf(new FakeWorkers(), { REDIS_URL: 'redis://127.0.0.1:1' });
    await primary.start();
    expect(made.engine).toBeUndefined();
    await primary.close();
  });

  it('does not start if no worker can, says why, and leaves nothing behind', async () => {
    const { primary, made } = primaryOf(new FakeWorkers(refuse));
    await expect(primary.start()).rejects.toEqual(new WorkersFailed('worker 1: Port 8080 is in use'));
    expect(existsSync(dirname(made.engine ?? ''))).toBe(false);
  });

  it('has nothing to close, to end or to replace before its start, and no log', async () => {
    const { primary } = primaryOf(new FakeWorkers());
    expect(primary.workers).toEqual([]);
    expect(() => primary.logger).toThrow('The primary has not started');
    await primary.roll();
    primary.kill();
    await primary.close();
  });

  it('replaces its workers one at a time, and keeps the others if a new one does not start', async () => {
    const workers = new FakeWorkers();
    const { primary } = primaryOf(workers);
    await primary.start();
    primary.announce('SIGHUP');
    await primary.roll();
    expect(workers.numbers).toEqual([1, 2, 1, 2]);
    workers.begin = refuse;
    await primary.roll();
    expect(primary.workers.map(({ state }) => state)).toEqual(['waiting', 'ready']);
    await primary.close();
  });

  it('gives a worker that asks the metrics of the other processes and its own', async () => {
    const workers = new FakeWorkers();
    const { primary } = primaryOf(workers);
    await primary.start();
    workers.get(1).say({ says: 'collect', id: 7 });
    const { id } = await vi.waitUntil(
      () => workers.get(2).heard.find(({ says }) => says === 'metrics_wanted') as never,
    );
    workers.get(2).say({ says: 'metrics', id, metrics: [{ name: 'up' }] });
    const answer = await vi.waitUntil(() => workers.get(1).heard.find(({ says }) => says === 'collected'));
    expect(answer).toMatchObject({ id: 7, missing: [] });
    const metrics = new Map('metrics' in answer ? (answer.metrics as [string, { name: string }[]][]) : []);
    expect(metrics.get('2')).toEqual([{ name: 'up' }]);
    const own = metrics.get('primary')?.map(({ name }) => name);
    for (const part of ['workers', 'worker_failures_total', 'worker_overruns_total', 'worker_queue_bytes'])
      expect(own).toContain(`gatehouse_${part}`);
    for (const part of ['seconds', 'p99_seconds']) expect(own).toContain(`nodejs_eventloop_lag_${part}`);
    expect(own).toContain('nodejs_active_handles');
    await primary.close();
  });

  describe('whose workers end again and again', () => {
    beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] }));
    afterEach(() => vi.useRealTimers());

    it('gives up, ends them all, and tells the operator why', async () => {
      const workers = new FakeWorkers();
      const { primary, made } = primaryOf(workers);
      await primary.start();
      workers.begin = refuse;
      for (const number of [1, 2]) workers.get(number).exit(null, 'SIGSEGV');
      for (let failures = 1; failures <= MAX_FAILURES; failures += 1) await vi.advanceTimersByTimeAsync(60_000);
      expect(made.failure).toEqual(new WorkersFailed('No worker can run: worker 1: Port 8080 is in use'));
      expect(existsSync(dirname(made.engine ?? ''))).toBe(false);
      await primary.close();
    });
  });
});
