import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EventQueue } from '../../../src/hooks/event-queue.js';
import { HookFailure } from '../../../src/hooks/hook-failure.js';
import { waitingTimersOf } from '../../support/waiting-timers.js';

interface Told {
  readonly id: string;
  readonly data: readonly { readonly data: { readonly n: number } }[];
}

/** A back end that takes what it is told, while it is up. */
function queue({ batch = 100, waitMs = 250 } = {}) {
  const told: Told[] = [];
  const state = { isUp: true, dropped: 0, reasons: new Set<string>(), status: undefined as number | undefined };
  const clients = {
    post: async (_endpoint: string, request: unknown): Promise<never> => {
      told.push(request as Told);
      if (state.status !== undefined) throw new HookFailure('app', 'bad_status', 'refused', state.status);
      if (!state.isUp) throw new Error('down');
      return {} as never;
    },
  };
  const emit = (_event: 'dropped', count: number, reason: string): boolean => {
    state.dropped += count;
    state.reasons.add(reason);
    return true;
  };
  const events = { emit };
  const hook = { endpoint: 'app', batch, waitMs };
  return { queue: new EventQueue({ hook, clients: clients as never, events: events as never }), told, state };
}

const numbers = ({ data }: Told): number[] => data.map((event) => event.data.n);

describe('events for a back end', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('wait for others, and go together', async () => {
    const { queue: events, told } = queue();
    for (let n = 0; n < 3; n += 1) events.push('session.opened', { n });
    await vi.advanceTimersByTimeAsync(249);
    expect(told).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(told.map(numbers)).toEqual([[0, 1, 2]]);
  });

  it('go at once when a batch is full, one batch after the other', async () => {
    const { queue: events, told } = queue({ batch: 2 });
    for (let n = 0; n < 5; n += 1) events.push('session.opened', { n });
    await vi.advanceTimersByTimeAsync(0);
    expect(told.map(numbers)).toEqual([[0, 1], [2, 3], [4]]);
  });

  it('are repeated with the same id, ever more rarely, and keep their order', async () => {
    const { queue: events, told, state } = queue({ batch: 1 });
    state.isUp = false;
    events.push('session.opened', { n: 0 });
    events.push('session.opened', { n: 1 });
    await vi.advanceTimersByTimeAsync(600_000);
    expect(told.length).toBeGreaterThan(10);
    expect(new Set(told.map(({ id }) => id)).size).toBe(1);
    state.isUp = true;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told.slice(-2).map(numbers)).toEqual([[0], [1]]);
    expect(state.dropped).toBe(0);
  });

  it('are dropped and counted after an hour without an answer', async () => {
    const timers = waitingTimersOf('event-queue.ts');
    const { queue: events, state } = queue();
    state.isUp = false;
    events.push('session.opened', { n: 0 });
    expect(timers()).toBe(1);
    await vi.advanceTimersByTimeAsync(2 * 3_600_000);
    expect([state.dropped, ...state.reasons]).toEqual([1, 'too_old']);
    expect(timers()).toBe(0);
  });

  it.each([400, 410, 413, 415, 422])(
    'are dropped after five answers of %i, and the next ones are told',
    async (status) => {
      const { queue: events, told, state } = queue({ batch: 1 });
      state.status = status;
      events.push('session.opened', { n: 0 });
      events.push('session.opened', { n: 1 });
      await vi.advanceTimersByTimeAsync(0);
      while (told.length < 5) await vi.advanceTimersByTimeAsync(100);
      // The next batch may have been refused once by now.
      state.status = undefined;
      await vi.advanceTimersByTimeAsync(60_000);
      expect(told.slice(0, 5).map(numbers)).toEqual([[0], [0], [0], [0], [0]]);
      expect(new Set(told.slice(5).flatMap(numbers))).toEqual(new Set([1]));
      expect([state.dropped, ...state.reasons]).toEqual([1, 'refused']);
    },
  );

  it.each([401, 403, 404, 408, 429, 500, 503])('keep their order while the answer is %i', async (status) => {
    const { queue: events, told, state } = queue({ batch: 1 });
    state.status = status;
    for (const n of [0, 1]) events.push('session.opened', { n });
    await vi.advanceTimersByTimeAsync(1_800_000);
    state.status = undefined;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told.slice(-2).map(numbers)).toEqual([[0], [1]]);
    expect(state.dropped).toBe(0);
  });

  it('are dropped from the oldest on, and counted, when fifty thousand wait', async () => {
    const { queue: events, told, state } = queue({ batch: 1_000 });
    state.isUp = false;
    for (let n = 0; n < 51_002; n += 1) events.push('session.opened', { n });
    expect(state.dropped).toBe(2);
    await vi.advanceTimersByTimeAsync(0);
    state.isUp = true;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told.at(-1)?.data.at(-1)?.data.n).toBe(51_001);
  });

  it('are told before the end, or dropped and counted when there is no answer within the time', async () => {
    const timers = waitingTimersOf('event-queue.ts');
    const up = queue();
    up.queue.push('session.opened', { n: 0 });
    await up.queue.close(5_000);
    expect([up.told.map(numbers), timers()]).toEqual([[[0]], 0]);

    const down = queue();
    down.state.isUp = false;
    down.queue.push('session.opened', { n: 0 });
    const closing = down.queue.close(5_000);
    await vi.advanceTimersByTimeAsync(5_000);
    await closing;
    expect(down.state.dropped).toBe(1);
    expect(timers()).toBe(0);
  });
});
