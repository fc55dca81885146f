import { freemem } from 'node:os';
import type { GrowthSubscriptionsJob, SubscriptionLevel } from '../load/growth-subscriptions.js';
import type { BenchCase, Extent } from './bench-case.js';

const levels = [1, 10, 100, 1_000, 10_000, 100_000];
const million = 1_000_000;
/** What a million takes of a server and of the load together, with room for garbage. */
const bytesForMillion = 10 * 2 ** 30;
/** Below this, the subscriptions take less than the reading of the memory is wrong by. */
const fewestForMemory = 10_000;

const countOf = (subscriptions: number): string =>
  subscriptions === 1 ? '1 subscription' : `${subscriptions.toLocaleString('en')} subscriptions`;
const timeMeasureOf = (subscriptions: number): string => `${countOf(subscriptions)}: µs per subscribe and unsubscribe`;
const memoryMeasureOf = (subscriptions: number): string | null =>
  subscriptions < fewestForMemory ? null : `${countOf(subscriptions)}: bytes per subscription`;

const everyLevel = [...levels, million];

export const growthSubscriptions: BenchCase = {
  name: 'growth-subscriptions',
  title: 'A subscription as the subscriptions grow, each to a channel of its own without history',
  unit: 'as named',
  peers: ['gatehouse', 'gatehouse-redis', 'socket-io'],
  mostRuns: 3,
  comparedWith: 'socket-io',
  targets: [],
  charts: [
    {
      kind: 'curve',
      file: 'growth-subscriptions.svg',
      title: 'One subscribe and unsubscribe as the subscriptions grow',
      unit: 'processor µs',
      over: 'subscriptions that exist, each to a channel of its own',
      points: everyLevel.map((at) => ({ measure: timeMeasureOf(at), at })),
    },
    {
      kind: 'curve',
      file: 'growth-subscriptions-memory.svg',
      title: 'Memory of a channel with one subscription as the subscriptions grow',
      unit: 'bytes per subscription',
      over: 'subscriptions, each to a channel of its own',
      points: everyLevel.flatMap((at) => {
        const measure = memoryMeasureOf(at);
        return measure === null ? [] : [{ measure, at }];
      }),
    },
  ],
  loads: (server, extent) => {
    const job: GrowthSubscriptionsJob = {
      server,
      namespace: 'passing',
      levels: levelsFor(extent),
      settleMs: extent.quick ? 600 : 2_000,
      windowMs: extent.windowMs,
    };
    return [{ script: 'growth-subscriptions', job, limitMs: extent.quick ? 180_000 : 900_000 }];
  },
};

function levelsFor({ quick }: Extent): SubscriptionLevel[] {
  const hasRoom = !quick && freemem() > bytesForMillion;
  return (hasRoom ? everyLevel : levels).map((subscriptions) => ({
    subscriptions,
    timeMeasure: timeMeasureOf(subscriptions),
    memoryMeasure: memoryMeasureOf(subscriptions),
  }));
}
