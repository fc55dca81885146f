import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ChannelName, PublishOptions } from '../../../../src/cluster/ports/broker.js';
import { MEMORY_MS, MemoryBroker } from '../../../../src/cluster/memory/memory-broker.js';
import { SWEEP_MS } from '../../../../src/cluster/memory/sweeps.js';
import { draft } from '../broker-bench.js';
import { describeBroker } from '../broker-contract.js';

describeBroker('the memory broker', { create: async () => new MemoryBroker(), isShared: false });

const KEPT: PublishOptions = { history: { size: 10, ageMs: 1_000 }, idempotencyKey: undefined };
const name = (text: string | number): ChannelName => `room:${text}` as ChannelName;

describe('the memory of a memory broker', () => {
  let broker: MemoryBroker;

  beforeEach(() => {
    vi.useFakeTimers();
    broker = new MemoryBroker();
  });

  afterEach(async () => {
    await broker.close();
    vi.useRealTimers();
  });

  it('lets 10,000 channels go once they are idle, and what they held', async () => {
    for (let n = 0; n < 10_000; n += 1) await broker.publish(name(n), draft(n), KEPT);
    expect(broker.size).toBe(10_000);
    vi.advanceTimersByTime(SWEEP_MS);
    expect(broker.size).toBe(10_000);
    vi.advanceTimersByTime(MEMORY_MS + SWEEP_MS);
    expect(broker.size).toBe(0);
  });

  it('keeps those that somebody listens to, and those that hold something', async () => {
    await broker.subscribe(name('heard'));
    await broker.publish(name('heard'), draft(1), KEPT);
    await broker.publish(name('full'), draft(1), { ...KEPT, history: { size: 10, ageMs: 2 * MEMORY_MS } });
    vi.advanceTimersByTime(MEMORY_MS + SWEEP_MS);
    expect(broker.size).toBe(2);
    expect((await broker.history(name('heard'), {})).top.seq).toBe(1);
    vi.advanceTimersByTime(MEMORY_MS + SWEEP_MS);
    expect(broker.size).toBe(1);
  });

  it('is not taken by asking for channels that nobody has published in', async () => {
    for (let n = 0; n < 1_000; n += 1) await broker.history(name(n), {});
    expect(broker.size).toBe(0);
  });

  it('is not taken for long by those who come, listen and go', async () => {
    for (let n = 0; n < 1_000; n += 1) {
      await broker.subscribe(name(n));
      await broker.history(name(n), { limit: 0 });
      broker.unsubscribe(name(n));
    }
    vi.advanceTimersByTime(SWEEP_MS);
    expect(broker.size).toBe(0);
  });

  it('gives a channel that it has forgotten another epoch', async () => {
    const first = await broker.publish(name('a'), draft(1), KEPT);
    vi.advanceTimersByTime(MEMORY_MS + SWEEP_MS);
    const second = await broker.publish(name('a'), draft(1), KEPT);
    expect(second.position?.seq).toBe(1);
    expect(second.position?.epoch).not.toBe(first.position?.epoch);
  });

  it('keeps the epoch of a silent channel while somebody listens, whatever it forgets of others', async () => {
    await broker.subscribe(name('silent'));
    const { top } = await broker.history(name('silent'), { limit: 0 });
    await broker.publish(name('loud'), draft(1), KEPT);
    vi.advanceTimersByTime(MEMORY_MS + SWEEP_MS);
    expect((await broker.publish(name('silent'), draft(1), KEPT)).position).toEqual({ epoch: top.epoch, seq: 1 });
  });

  it('has an idempotency key for five minutes', async () => {
    const once = { ...KEPT, idempotencyKey: 'k' };
    await broker.publish(name('a'), draft(1), once);
    vi.advanceTimersByTime(MEMORY_MS - 1);
    expect((await broker.publish(name('a'), draft(1), once)).isRepeat).toBe(true);
    vi.advanceTimersByTime(1);
    expect((await broker.publish(name('a'), draft(1), once)).isRepeat).toBe(false);
  });

  it('drops what is too old of a channel that is still heard', async () => {
    await broker.subscribe(name('a'));
    for (const n of [1, 2]) await broker.publish(name('a'), draft(n), KEPT);
    vi.advanceTimersByTime(600);
    await broker.publish(name('a'), draft(3), KEPT);
    vi.advanceTimersByTime(600);
    const { publications } = await broker.history(name('a'), {});
    expect(publications.map(({ seq }) => seq)).toEqual([3]);
  });
});

describe('the budget of all histories', () => {
  const MANY: PublishOptions = { history: { size: 100, ageMs: 60_000 }, idempotencyKey: undefined };
  const text = 'x'.repeat(1_000);
  const published = (broker: MemoryBroker, n: number) => broker.publish(name(n), draft(text), MANY);
  const countIn = async (broker: MemoryBroker, n: number) => (await broker.history(name(n), {})).publications.length;

  it('is kept by the channels that were published in longest ago; where they stand is not forgotten', async () => {
    const broker = new MemoryBroker(22_000);
    for (const n of [1, 2, 1, 1]) for (let times = 0; times < 5; times += 1) await published(broker, n);
    expect([await countIn(broker, 1), await countIn(broker, 2)]).toEqual([15, 0]);
    expect((await broker.history(name(2), {})).top.seq).toBe(5);
    await broker.close();
  });

  it('is kept by a channel alone, which loses its oldest', async () => {
    const broker = new MemoryBroker(15_000);
    for (let times = 0; times < 30; times += 1) await published(broker, 1);
    const { publications } = await broker.history(name(1), {});
    expect(publications.map(({ seq }) => seq)).toEqual([21, 22, 23, 24, 25, 26, 27, 28, 29, 30]);
    await broker.close();
  });

  it('holds no more than the limits of a history for longer than a sweep', async () => {
    vi.useFakeTimers();
    const broker = new MemoryBroker();
    const bytes = (): number => Reflect.get(broker, 'bytes') as number;
    const small = { ...MANY, history: { size: 10, ageMs: 3_600_000 } };
    for (let times = 0; times < 10; times += 1) await broker.publish(name(1), draft(text), small);
    const full = bytes();
    for (let times = 0; times < 9; times += 1) await broker.publish(name(1), draft(text), small);
    vi.advanceTimersByTime(SWEEP_MS);
    expect(bytes()).toBe(full);
    await broker.close();
    vi.useRealTimers();
  });

  it('lets channels that have lost their history to it go, as others that are idle', async () => {
    vi.useFakeTimers();
    const broker = new MemoryBroker(22_000);
    const lasting = { ...MANY, history: { size: 100, ageMs: 24 * 3_600_000 } };
    for (let n = 0; n < 1_000; n += 1) await broker.publish(name(n), draft(text), lasting);
    expect(broker.size).toBe(1_000);
    vi.advanceTimersByTime(MEMORY_MS + SWEEP_MS);
    expect(broker.size).toBeLessThan(20);
    await broker.close();
    vi.useRealTimers();
  });

  it('is given back by what is trimmed', async () => {
    const broker = new MemoryBroker(70_000);
    const small = { ...MANY, history: { size: 2, ageMs: 60_000 } };
    for (let times = 0; times < 500; times += 1) await broker.publish(name(1), draft(text), small);
    for (let times = 0; times < 40; times += 1) await published(broker, 2);
    expect([await countIn(broker, 1), await countIn(broker, 2)]).toEqual([2, 40]);
    await broker.close();
  });
});
