import { describe, expect, it } from 'vitest';
import type { AccessSettings } from '../../../../src/access/access-settings.js';
import { LostConnections } from '../../../../src/access/limits/lost-connections.js';
import type { PlaceCheck } from '../../../../src/access/limits/place-check.js';
import { Reconnects, TRIES } from '../../../../src/access/limits/reconnects.js';
import type { Bans } from '../../../../src/access/lists/bans.js';
import type { NodeBus } from '../../../../src/cluster/ports/node-bus.js';
import type { SharedCounts } from '../../../../src/cluster/ports/shared-counts.js';
import { SessionEvents } from '../../../../src/sessions/session-events.js';
import { eventually } from '../../../support/eventually.js';

const KEY = '203.0.113.7';

interface Scene {
  /** What other nodes say that they lost, by node. */
  readonly answers?: Record<string, number>;
  /** Nodes with a lease that do not answer. */
  readonly missing?: readonly string[];
  /** Places of the address, by node. */
  readonly places?: Record<string, number>;
  readonly maxPerIp?: number;
  readonly isStoreAway?: boolean;
}

/** One node of several, where an address is over its rate so often. */
function node({ answers = {}, missing = [], places = {}, maxPerIp = 200, isStoreAway = false }: Scene) {
  const banned: string[] = [];
  const bus = {
    reachesOthers: true,
    handle: () => {},
    ask: async () => ({ received: new Map(Object.entries(answers)), missing }),
  } as unknown as NodeBus;
  const counts = {
    byNode: () => (isStoreAway ? Promise.reject(new Error('away')) : Promise.resolve(new Map(Object.entries(places)))),
  } as unknown as SharedCounts;
  const bans = { breach: (key: string) => banned.push(key) } as unknown as Bans;
  const check = { silentHere: async () => 0, mayBeSilent: () => false } as unknown as PlaceCheck;
  const settings = { connections: { banDurationMs: 60_000, maxPerIp } } as AccessSettings;
  const lost = new LostConnections(bus, new SessionEvents());
  const reconnects = new Reconnects(settings, bus, counts, bans, lost, check);
  return {
    banned,
    /** Resolves once it is decided. */
    async overRate(times: number): Promise<void> {
      for (let n = 0; n < times; n += 1) reconnects.overRate(KEY);
      await eventually('it is decided', () => banned.length > 0 || reconnects.sparedCount > 0);
    },
  };
}

describe('an address over its connection rate', () => {
  it.each<[string, Scene, number]>([
    ['a node that is gone and still has its places', { missing: ['dead'], places: { dead: 10, alive: 50 } }, 10],
    ['connections that other nodes lost', { answers: { b: 3, c: 4 } }, 7],
    ['all of that', { answers: { b: 3 }, missing: ['dead'], places: { dead: 2 } }, 5],
  ])('is spared as far as it is explained by %s', async (_what, scene, lost) => {
    const spared = node(scene);
    await spared.overRate(lost * TRIES);
    expect(spared.banned).toEqual([]);
    const banned = node(scene);
    await banned.overRate(lost * TRIES + 1);
    expect(banned.banned).toEqual([KEY]);
  });

  it('is banned where nothing explains it: all nodes answer, or places are unknown', async () => {
    for (const scene of [{}, { places: { b: 50 }, answers: { b: 0 } }, { missing: ['b'], isStoreAway: true }]) {
      const flooded = node(scene);
      await flooded.overRate(1);
      expect(flooded.banned).toEqual([KEY]);
    }
  });

  it('cannot have lost more than it may have', async () => {
    const flooded = node({ answers: { b: 1_000 }, maxPerIp: 5 });
    await flooded.overRate(5 * TRIES + 1);
    expect(flooded.banned).toEqual([KEY]);
  });

  it('is spared where a node is gone and places are not counted', async () => {
    const spared = node({ missing: ['dead'], maxPerIp: 0 });
    await spared.overRate(50);
    expect(spared.banned).toEqual([]);
  });
});
