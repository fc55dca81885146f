import { describe, expect, it } from 'vitest';
import { BanEscalation } from '../../../../src/access/limits/ban-escalation.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Bans an address as often as there are pauses, each that long after the ban before has ended. Returns the lengths of the bans. */
function bannedAfter(offences: BanEscalation, pausesMs: readonly number[]): number[] {
  let now = 0;
  return pausesMs.map((pause) => {
    now += pause;
    const { count, durationMs } = offences.next('a', now);
    offences.remember('a', count, { now, until: now + durationMs });
    now += durationMs;
    return durationMs;
  });
}

describe('the ban of a repeat offender', () => {
  it('doubles each time, up to a day', () => {
    const minutes = bannedAfter(new BanEscalation(MINUTE_MS, DAY_MS), Array<number>(14).fill(0)).map(
      (ms) => ms / MINUTE_MS,
    );
    expect(minutes).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 1_440, 1_440, 1_440]);
  });

  it('is never longer than a day, however often', () => {
    const bans = bannedAfter(new BanEscalation(MINUTE_MS, DAY_MS), Array<number>(2_000).fill(0));
    expect(bans.at(-1)).toBe(DAY_MS);
  });

  it('is as short as the first where the maximum is no longer', () => {
    expect(bannedAfter(new BanEscalation(MINUTE_MS, 0), [0, 0, 0])).toEqual([MINUTE_MS, MINUTE_MS, MINUTE_MS]);
  });

  it('is as short as the first after an hour of quiet, or a time as long as the last ban', () => {
    const of = (...pauses: number[]) => bannedAfter(new BanEscalation(MINUTE_MS, DAY_MS), pauses).at(-1);
    expect([of(0, HOUR_MS - 1), of(0, HOUR_MS)]).toEqual([2 * MINUTE_MS, MINUTE_MS]);
    const often = Array<number>(12).fill(0);
    expect([of(...often, DAY_MS - 1), of(...often, DAY_MS)]).toEqual([DAY_MS, MINUTE_MS]);
  });

  it('counts what another node has seen', () => {
    const offences = new BanEscalation(MINUTE_MS, DAY_MS);
    offences.remember('a', 3, { now: 0, until: 1 });
    offences.remember('a', 2, { now: 0, until: 1 });
    expect(offences.next('a', 1)).toEqual({ count: 4, durationMs: 8 * MINUTE_MS });
    expect(offences.next('b', 1).count).toBe(1);
    offences.forget('a');
    expect(offences.next('a', 1).count).toBe(1);
  });
});
