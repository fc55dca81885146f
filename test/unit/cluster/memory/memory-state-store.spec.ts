import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MEMORY_MS, MemoryBroker } from '../../../../src/cluster/memory/memory-broker.js';
import { MemoryStateStore } from '../../../../src/cluster/memory/memory-state-store.js';
import { SWEEP_MS } from '../../../../src/cluster/memory/sweeps.js';
import type { ChannelName } from '../../../../src/cluster/ports/broker.js';
import type { StateCommit } from '../../../../src/cluster/ports/state-store.js';
import { draft } from '../broker-bench.js';
import { describeStateCells } from '../state-cells-contract.js';
import { describeStateStore, set } from '../state-store-contract.js';

function ground(budgetBytes?: number) {
  const broker = new MemoryBroker();
  const store = new MemoryStateStore(broker, budgetBytes);
  const close = async (): Promise<void> => {
    store.close();
    await broker.close();
  };
  return { broker, store, close };
}

describeStateStore('the state store in memory', { create: async () => ground(), isShared: false });
describeStateCells('the cells of the state store in memory', { create: async () => ground(), isShared: false });

const CHANNEL = 'twin:a' as ChannelName;
const HISTORY = { size: 10, ageMs: 1_000 };

describe('the memory of a state store', () => {
  let at: ReturnType<typeof ground>;
  const commit = (changes: StateCommit['changes'], ttlMs = 0) =>
    at.store.commit(CHANNEL, {
      changes,
      epoch: undefined,
      draft: draft('changes'),
      history: HISTORY,
      replicas: 0,
      maxKeys: 1_000_000,
      ttlMs,
    });

  beforeEach(() => {
    vi.useFakeTimers();
    at = ground(100_000);
  });
  afterEach(async () => {
    await at.close();
    vi.useRealTimers();
  });

  it('has a budget; beyond it nothing grows, and a smaller value still fits', async () => {
    const text = 'x'.repeat(10_000);
    for (let n = 0; n < 9; n += 1) expect(await commit([set(`k${n}`, text, 0)])).toMatchObject({ is: 'done' });
    expect(await commit([set('more', text, 0)])).toEqual({ is: 'full', room: 1, grown: ['more'] });
    expect(await commit([set('k0', 'small', 1)])).toMatchObject({ is: 'done' });
    expect(await commit([set('more', text, 0)])).toMatchObject({ is: 'done' });
  });

  it('keeps the position of a channel as long as it has state, so that versions stay unique', async () => {
    await commit([set('a', 1, 0)]);
    const before = (await at.store.get(CHANNEL, 'a')).position;
    vi.advanceTimersByTime(MEMORY_MS + 2 * SWEEP_MS);
    expect((await at.store.get(CHANNEL, 'a')).position).toEqual(before);
    await commit([{ key: 'a', what: 'remove', expected: 1 }]);
    vi.advanceTimersByTime(MEMORY_MS + 2 * SWEEP_MS);
    expect([at.broker.size, at.store.size]).toEqual([0, 0]);
  });

  it('is not taken by channels whose only key comes and goes', async () => {
    for (let round = 0; round < 100; round += 1) {
      const outcome = await commit([set('a', 1, 0)], 24 * 3_600_000);
      const { position } = outcome as Extract<typeof outcome, { is: 'done' }>;
      await commit([{ key: 'a', what: 'remove', expected: position.seq }], 24 * 3_600_000);
    }
    expect(at.store.size).toBe(0);
    expect((Reflect.get(Reflect.get(at.store, 'sweeps') as object, 'planned') as Map<number, unknown>).size).toBe(0);
  });

  it('is given back by keys whose time is over where nobody is subscribed, and their end is published', async () => {
    await commit([set('a', 1, 0), set('b', 1, 0)], 5_000);
    vi.advanceTimersByTime(SWEEP_MS);
    expect(at.store.size).toBe(0);
    const { publications } = await at.broker.history(CHANNEL, {});
    expect(publications.at(-1)).toMatchObject({ seq: 2, data: { del: ['a', 'b'] } });
  });
});
