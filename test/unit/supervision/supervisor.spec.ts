import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pauseAfter } from '../../../src/supervision/backoff.js';
import { MAX_FAILURES, Supervisor, WorkersFailed } from '../../../src/supervision/supervisor.js';
import { SILENCE_MS, SOUND_MS } from '../../../src/supervision/worker-slot.js';
import { FakeWorkers, type FakeWorker } from './fake-workers.js';

const START_TIMEOUT_MS = 60_000;
const DRAIN_TIMEOUT_MS = 20_000;

function supervise(workers: FakeWorkers, others: { count?: number; isPortUnknown?: boolean } = {}): Supervisor {
  return new Supervisor({
    count: 2,
    isPortUnknown: false,
    startTimeoutMs: START_TIMEOUT_MS,
    drainTimeoutMs: DRAIN_TIMEOUT_MS,
    start: workers.start,
    ...others,
  });
}

const statesOf = ({ workers }: Supervisor) => workers.map(({ state }) => state);
const crash = (worker: FakeWorker): void => worker.exit(1);

describe('a supervisor', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('starts every worker, and gives all of them the port that the first one got', async () => {
    const workers = new FakeWorkers((worker) => worker.ready(worker.order.port ?? 4_711));
    const supervisor = supervise(workers, { count: 3, isPortUnknown: true });
    expect(await supervisor.start()).toBe(4_711);
    expect(workers.all.map(({ order }) => [order.number, order.port, order.greets])).toEqual([
      [1, undefined, true],
      [2, 4_711, false],
      [3, 4_711, false],
    ]);
    expect(statesOf(supervisor)).toEqual(['ready', 'ready', 'ready']);
  });

  it('tells every worker how all of them are', async () => {
    const workers = new FakeWorkers();
    await supervise(workers).start();
    const ready = { state: 'ready', failures: 0 };
    expect(workers.get(1).heard.at(-1)).toEqual({
      says: 'machine',
      workers: [
        { number: 1, ...ready },
        { number: 2, ...ready },
      ],
    });
  });

  it('lets a worker go that accepts no more connections', async () => {
    const workers = new FakeWorkers();
    await supervise(workers).start();
    workers.get(1).say({ says: 'closed' });
    expect(workers.get(1).heard.at(-1)).toEqual({ says: 'released' });
    expect(workers.get(2).heard.at(-1)).toMatchObject({ says: 'machine' });
  });

  it('fails with the reason of a worker if none can start', async () => {
    const workers = new FakeWorkers((worker) => {
      worker.say({ says: 'failed', reason: 'Port 8080 is in use' });
      worker.exit(1);
    });
    await expect(supervise(workers).start()).rejects.toEqual(new WorkersFailed('worker 1: Port 8080 is in use'));
  });

  it('goes on with the others if one cannot start, and says so', async () => {
    const workers = new FakeWorkers((worker) => (worker.number === 2 ? crash(worker) : worker.ready()));
    const supervisor = supervise(workers);
    const failed: unknown[] = [];
    supervisor.on('failed', (...what) => failed.push(what));
    await supervisor.start();
    expect(failed).toEqual([[2, 'it exited with 1', 500]]);
    for (let start = 2; start <= 4; start += 1) {
      await vi.advanceTimersByTimeAsync(pauseAfter(start - 1));
      expect(workers.numbers.filter((number) => number === 2)).toHaveLength(start);
    }
    expect(supervisor.workers[1]).toEqual({ number: 2, state: 'waiting', failures: 4, lastEnd: 'it exited with 1' });
    // However often: as long as one serves clients, there is hope.
    supervisor.on('hopeless', () => expect.unreachable());
    await vi.advanceTimersByTimeAsync(600_000);
    expect(statesOf(supervisor)[0]).toBe('ready');
  });

  it('starts a worker again that was killed, and forgets its failures once it is sound', async () => {
    const workers = new FakeWorkers();
    const supervisor = supervise(workers);
    await supervisor.start();
    workers.get(1).exit(null, 'SIGKILL');
    expect(supervisor.workers[0]).toMatchObject({ state: 'waiting', failures: 1, lastEnd: 'it was killed by SIGKILL' });
    await vi.advanceTimersByTimeAsync(pauseAfter(1));
    expect(supervisor.workers[0]).toMatchObject({ state: 'ready', failures: 1 });
    await vi.advanceTimersByTimeAsync(SOUND_MS);
    expect(supervisor.workers[0]).toMatchObject({ state: 'ready', failures: 0 });
    expect(supervisor.failures).toBe(1);
  });

  it('gives up if every worker ends again and again', async () => {
    const workers = new FakeWorkers();
    const supervisor = supervise(workers);
    const reasons: string[] = [];
    supervisor.on('hopeless', (reason) => reasons.push(reason));
    await supervisor.start();
    for (let failure = 1; failure <= MAX_FAILURES; failure += 1) {
      expect(reasons).toEqual([]);
      for (const number of [1, 2]) crash(workers.get(number));
      await vi.advanceTimersByTimeAsync(pauseAfter(failure));
    }
    expect(reasons).toEqual(['worker 1: it exited with 1']);
  });

  it('kills a worker that never becomes ready', async () => {
    const workers = new FakeWorkers((worker) => worker.number === 1 && worker.ready());
    const supervisor = supervise(workers);
    const started = supervisor.start();
    await vi.advanceTimersByTimeAsync(START_TIMEOUT_MS);
    expect(await started).toBe(8080);
    expect(supervisor.workers[1]).toMatchObject({ state: 'waiting', lastEnd: 'it was not ready after 60000 ms' });
  });

  it('kills a worker that hangs, and no worker that speaks', async () => {
    const workers = new FakeWorkers();
    const supervisor = supervise(workers);
    await supervisor.start();
    const speak = setInterval(() => workers.get(1).say({ says: 'alive', isReady: true }), 1_000);
    await vi.advanceTimersByTimeAsync(SILENCE_MS);
    clearInterval(speak);
    expect(workers.get(1).hasEnded).toBe(false);
    expect(supervisor.workers[1]).toMatchObject({ lastEnd: 'it did not answer, and was killed' });
  });

  it('knows which workers take new clients', async () => {
    const workers = new FakeWorkers();
    const supervisor = supervise(workers);
    await supervisor.start();
    workers.get(1).say({ says: 'alive', isReady: false });
    expect(statesOf(supervisor)).toEqual(['closed', 'ready']);
    workers.get(1).say({ says: 'alive', isReady: true });
    expect(statesOf(supervisor)).toEqual(['ready', 'ready']);
  });

  it('replaces the workers one at a time: the next one leaves when the one before is back', async () => {
    const steps: string[] = [];
    const workers = new FakeWorkers((worker) => {
      steps.push(`${worker.number} is ready`);
      worker.ready();
    });
    const supervisor = supervise(workers);
    await supervisor.start();
    for (const worker of workers.all) {
      worker.stopped = () => {
        steps.push(`${worker.number} leaves`);
        setTimeout(() => worker.exit(), 5_000);
      };
    }
    steps.length = 0;
    const [first, second] = [supervisor.roll(), supervisor.roll()];
    await vi.advanceTimersByTimeAsync(60_000);
    await Promise.all([first, second]);
    expect(steps).toEqual(['1 leaves', '1 is ready', '2 leaves', '2 is ready']);
    expect(supervisor.failures).toBe(0);
  });

  it('stops a rolling restart at the first worker that does not come back, and leaves the others alone', async () => {
    const workers = new FakeWorkers();
    const supervisor = supervise(workers, { count: 3 });
    await supervisor.start();
    const before = workers.get(3);
    workers.begin = crash;
    await expect(supervisor.roll()).rejects.toThrow('worker 1: it exited with 1');
    expect([workers.get(3), before.hasEnded]).toEqual([before, false]);
    workers.begin = (worker) => worker.ready();
    await vi.advanceTimersByTimeAsync(pauseAfter(1));
    expect(statesOf(supervisor)).toEqual(['ready', 'ready', 'ready']);
  });

  it('does not take away the only worker that is ready', async () => {
    const workers = new FakeWorkers();
    const supervisor = supervise(workers);
    await supervisor.start();
    workers.get(2).say({ says: 'alive', isReady: false });
    await expect(supervisor.roll()).rejects.toThrow('worker 1 is the only one that is ready');
    expect(workers.get(1).hasEnded).toBe(false);
  });

  it('ends all workers at once, and kills those that do not drain in time', async () => {
    const workers = new FakeWorkers();
    const supervisor = supervise(workers);
    await supervisor.start();
    workers.get(2).stopped = () => {};
    const stopped = supervisor.stop('SIGTERM');
    await vi.advanceTimersByTimeAsync(DRAIN_TIMEOUT_MS);
    expect([workers.get(1).hasEnded, workers.get(2).hasEnded]).toEqual([true, false]);
    await vi.advanceTimersByTimeAsync(5_000);
    await stopped;
    expect(workers.all).toHaveLength(2);
    expect(supervisor.failures).toBe(0);
  });
});
