import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ChannelName } from '../../../src/cluster/ports/broker.js';
import { MemoryPresenceStore } from '../../../src/cluster/memory/memory-presence-store.js';
import { SharedRoll } from '../../../src/hooks/shared-roll.js';
import { waitingTimersOf } from '../../support/waiting-timers.js';

const PLACE = '@test' as ChannelName;

/** A store that can be away, and may carry out what it does not answer. */
class UnsteadyStore extends MemoryPresenceStore {
  isAway = false;
  asked = 0;

  override async add(...parameters: Parameters<MemoryPresenceStore['add']>): Promise<boolean> {
    this.asked += 1;
    const hasCome = await super.add(...parameters);
    if (this.isAway) throw new Error('away');
    return hasCome;
  }

  override async remove(...parameters: Parameters<MemoryPresenceStore['remove']>): Promise<boolean> {
    this.asked += 1;
    if (this.isAway) throw new Error('away');
    return super.remove(...parameters);
  }
}

function roll() {
  const store = new UnsteadyStore();
  const changes: boolean[] = [];
  return { store, changes, roll: new SharedRoll(store, { changed: (_place, isIn) => changes.push(isIn) }) };
}

describe('what all nodes know of this one', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is told when the first comes and the last goes', async () => {
    const { roll: list, changes } = roll();
    list.enter(PLACE, 'a', '*');
    list.enter(PLACE, 'b', '*');
    await vi.advanceTimersByTimeAsync(0);
    list.leave(PLACE, 'a');
    await vi.advanceTimersByTimeAsync(0);
    expect(changes).toEqual([true]);
    list.leave(PLACE, 'b');
    await vi.advanceTimersByTimeAsync(0);
    expect(changes).toEqual([true, false]);
  });

  it('is not asked for what comes and goes at once, nor for what is never in', async () => {
    const { roll: list, store, changes } = roll();
    list.enter(PLACE, 'a', '*');
    list.leave(PLACE, 'a');
    list.leave(PLACE, 'b');
    await vi.advanceTimersByTimeAsync(0);
    expect([store.asked, changes]).toEqual([0, []]);
  });

  it('waits for a store that is away, and leaves nothing there that has gone meanwhile', async () => {
    const timers = waitingTimersOf('shared-roll.ts');
    const { roll: list, store } = roll();
    store.isAway = true;
    list.enter(PLACE, 'a', '*');
    await vi.advanceTimersByTimeAsync(2_500);
    expect(store.asked).toBe(3);
    list.leave(PLACE, 'a');
    await vi.advanceTimersByTimeAsync(1_000);
    store.isAway = false;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await store.members(PLACE)).toEqual([]);
    expect(timers()).toBe(0);
  });

  it('ends within its time while the store is away', async () => {
    const timers = waitingTimersOf('shared-roll.ts');
    const { roll: list, store } = roll();
    store.isAway = true;
    list.enter(PLACE, 'a', '*');
    const closing = list.close(2_000);
    await vi.advanceTimersByTimeAsync(2_000);
    await closing;
    expect(timers()).toBe(0);
  });
});
