import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LoadMeter } from '../../../src/lifecycle/load-meter.js';
import { Machine } from '../../../src/lifecycle/machine.js';
import type { PrimaryChannel } from '../../../src/lifecycle/primary-channel.js';
import type { Readiness } from '../../../src/lifecycle/readiness.js';
import type { FromPrimary, FromWorker } from '../../../src/lifecycle/worker-messages.js';

/** The primary's end of the channel. */
class FakeChannel implements PrimaryChannel {
  readonly said: FromWorker[] = [];
  isClosed = false;
  tell: (message: FromPrimary) => void = () => {};

  send(message: FromWorker): void {
    this.said.push(message);
  }

  listen(hear: (message: FromPrimary) => void): void {
    this.tell = hear;
  }

  close(): void {
    this.isClosed = true;
  }
}

const SELF = { number: 2, count: 2, serverId: 'machine', port: undefined, engine: undefined, greets: false };

function workerOf(self: object | undefined) {
  const channel = new FakeChannel();
  const meter = new EventEmitter() as unknown as LoadMeter;
  const overload = new EventEmitter();
  const readiness = { isReady: true, overload };
  const settings = { workers: { self } } as unknown as ConstructorParameters<typeof Machine>[0];
  const machine = new Machine(settings, readiness as unknown as Readiness, meter, channel);
  machine.onModuleInit();
  return { machine, channel, meter, readiness, overload };
}

describe('a worker of a machine', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('says every ten seconds that it lives, and at once whether it takes new clients', () => {
    const { channel, meter, readiness, overload } = workerOf(SELF);
    const tenSeconds = (): void => void Array.from({ length: 20 }, () => meter.emit('measured'));
    tenSeconds();
    const alive = { says: 'alive', isReady: true };
    expect(channel.said).toEqual([alive, alive]);
    readiness.isReady = false;
    overload.emit('changed');
    const closed = { says: 'alive', isReady: false };
    expect(channel.said).toEqual([alive, alive, closed]);
    tenSeconds();
    expect(channel.said).toEqual([alive, alive, closed, closed]);
    readiness.isReady = true;
    meter.emit('measured');
    expect(channel.said.at(-1)).toEqual(alive);
  });

  it('knows of all workers what the primary says', () => {
    const { machine, channel } = workerOf(SELF);
    const workers = [{ number: 1, state: 'ready', failures: 0 } as const];
    channel.tell({ says: 'machine', workers });
    expect(machine.workers).toEqual(workers);
  });

  it('gets the metrics of the other processes, each answer for its question', async () => {
    const { machine, channel } = workerOf(SELF);
    const [first, second] = [machine.collect(), machine.collect()];
    expect(channel.said).toEqual([
      { says: 'collect', id: 1 },
      { says: 'collect', id: 2 },
    ]);
    channel.tell({ says: 'collected', id: 2, metrics: [['primary', []]], missing: [] });
    channel.tell({ says: 'collected', id: 1, metrics: [], missing: ['1'] });
    expect(await first).toMatchObject({ metrics: [], missing: ['1'] });
    expect(await second).toMatchObject({ metrics: [['primary', []]], missing: [] });
  });

  it('goes on without a primary that does not answer, and drops what comes too late', async () => {
    const { machine, channel } = workerOf(SELF);
    const collected = machine.collect();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await collected).toEqual({ metrics: [], missing: ['primary'] });
    channel.tell({ says: 'collected', id: 1, metrics: [['1', []]], missing: [] });
    expect(await collected).toEqual({ metrics: [], missing: ['primary'] });
  });

  it('gives its metrics to the worker that asks, and no answer if it cannot read them', async () => {
    const { machine, channel } = workerOf(SELF);
    machine.offerMetrics(async () => [{ name: 'up' }]);
    channel.tell({ says: 'metrics_wanted', id: 7 });
    await vi.advanceTimersByTimeAsync(0);
    expect(channel.said).toEqual([{ says: 'metrics', id: 7, metrics: [{ name: 'up' }] }]);
    machine.offerMetrics(() => Promise.reject(new Error('a gauge that throws')));
    channel.tell({ says: 'metrics_wanted', id: 8 });
    await vi.advanceTimersByTimeAsync(0);
    expect(channel.said).toHaveLength(1);
  });

  it('hears nothing more once it has shut down', () => {
    const { machine, channel } = workerOf(SELF);
    machine.onApplicationShutdown();
    expect(channel.isClosed).toBe(true);
  });
});

it('a server without workers is alone: it has no channel, and no other metrics', async () => {
  const { machine, channel, meter } = workerOf(undefined);
  meter.emit('measured');
  meter.emit('measured');
  machine.report();
  expect(channel.said).toEqual([]);
  expect(await machine.collect()).toEqual({ metrics: [], missing: [] });
  machine.onApplicationShutdown();
});
