import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AccessEvents } from '../../src/access/access-events.js';
import type { AccessSettings } from '../../src/access/access-settings.js';
import { AddressRecord } from '../../src/access/limits/address-book.js';
import type { Origin } from '../../src/access/limits/address-key.js';
import { Bans } from '../../src/access/lists/bans.js';
import { ConnectionLimits } from '../../src/access/limits/connection-limits.js';
import { ExemptAddresses } from '../../src/access/limits/exempt-addresses.js';
import type { SessionTermination } from '../../src/access/session-termination.js';
import { LostConnections } from '../../src/access/limits/lost-connections.js';
import { Reconnects } from '../../src/access/limits/reconnects.js';
import { PlaceCheck } from '../../src/access/limits/place-check.js';
import { ClusterConnectionLimits } from '../../src/access/limits/cluster-connection-limits.js';
import { ClusterEvents } from '../../src/cluster/ports/cluster-events.js';
import { LoneNodeBus } from '../../src/cluster/bus/lone-node-bus.js';
import { MemoryRecordStore } from '../../src/cluster/memory/memory-record-store.js';
import { BANS } from '../../src/cluster/ports/ban-store.js';
import { MemorySharedCounts } from '../../src/cluster/memory/memory-shared-counts.js';
import type { SessionRegistry } from '../../src/sessions/session-registry.js';
import { SessionEvents } from '../../src/sessions/session-events.js';

const MEGABYTE = 1_048_576;
/** Of those that break the limit and are banned. So many fill every table; `npm run test:soak` has ten million come. */
const BANNED = 200_000;
const ADDRESSES = Number(process.env.LEAK_ADDRESSES ?? 400_000);
const ONE_IN = ADDRESSES / BANNED;
const MAX_CONNECTIONS = 1_000;
const SETTINGS = {
  connections: {
    ratePerIp: 1,
    maxPerIp: 200,
    max: MAX_CONNECTIONS,
    maxPendingUpgrades: 0,
    banDurationMs: 60_000,
    banMaxDurationMs: 86_400_000,
    exemptAddresses: [] as readonly string[],
  },
  messages: { ratePerIp: 2_000 },
} as AccessSettings;

function door() {
  const [bus, cluster] = [new LoneNodeBus(), new ClusterEvents()];
  const store = new MemoryRecordStore(BANS);
  const bans = new Bans(SETTINGS, bus, store, cluster, new AccessEvents(), {} as SessionTermination);
  const counts = new MemorySharedCounts('a');
  const exempt = new ExemptAddresses(SETTINGS);
  const events = new SessionEvents();
  const sessions = { countOfUser: () => 0, ofAddress: () => [], events } as unknown as SessionRegistry;
  const shared = new ClusterConnectionLimits(SETTINGS, bus, counts, cluster, events, exempt);
  const check = new PlaceCheck(SETTINGS, bus, sessions, bans, exempt);
  const lost = new LostConnections(bus, events);
  const reconnects = new Reconnects(SETTINGS, bus, counts, bans, lost, check);
  return { bans, store, limits: new ConnectionLimits(SETTINGS, sessions, bans, shared, check, reconnects) };
}

/** A clock that the test moves on: of both kinds, for rates and for bans. */
function simulatedClock() {
  const steady = performance.now.bind(performance);
  const calendar = Date.now.bind(Date);
  onTestFinished(() => {
    performance.now = steady;
    Date.now = calendar;
  });
  const clock = { now: 0 };
  const startedAt = Date.now();
  performance.now = () => clock.now;
  Date.now = () => startedAt + Math.floor(clock.now);
  return clock;
}

/** Ten million IPv4 addresses, all different: each number from 10 to 66, of which there are 57. */
function addressOf(n: number): string {
  if (n % 57 === 0) {
    const net = n / 57;
    prefix = `${10 + (Math.floor(net / 57 / 57) % 57)}.${10 + (Math.floor(net / 57) % 57)}.${10 + (net % 57)}.`;
  }
  return prefix + String(10 + (n % 57));
}
let prefix = '';

/** Tables lie beside the heap. */
function collectedMemory(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < 3; round += 1) collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const clientAt = (address: string): Origin => ({ address, limitKey: address, isProxy: false });

/** Clients of a full node, from addresses that are not those of the attack. */
function fill(limits: ConnectionLimits): void {
  for (let n = 0; n < MAX_CONNECTIONS; n += 1) {
    const address = `client ${n}`;
    expect(limits.take(clientAt(address))).toBeInstanceOf(AddressRecord);
    limits.decided();
  }
}

describe(`${ADDRESSES} addresses that connect, of which ${BANNED} are banned`, () => {
  it('cost at most 64 MiB', { timeout: 900_000 }, async () => {
    const clock = simulatedClock();
    const before = collectedMemory();
    const { bans, store, limits } = door();
    fill(limits);
    let banned = 0;
    let most = 0;
    let latest = '';
    for (let n = 0; n < ADDRESSES; n += 1) {
      // 50,000 a second.
      clock.now += 0.02;
      latest = addressOf(n);
      const client = clientAt(latest);
      if (limits.take(client) !== 'at_capacity') throw new Error('it was let in');
      if (n % ONE_IN === ONE_IN - 1) {
        if (limits.take(client) === 'connection_rate') banned += 1;
        // The store is written to behind the scenes.
        await Promise.resolve();
      }
      if (n % (ADDRESSES / 4) === ADDRESSES / 4 - 1) most = Math.max(most, collectedMemory() - before);
    }
    expect(banned).toBe(BANNED);
    expect(most / MEGABYTE).toBeLessThan(64);
    // It is no empty promise: all that is bounded is full, and the latest are banned.
    expect(bans.activeCount).toBeGreaterThanOrEqual(50_000);
    expect(bans.dropped.ban).toBeGreaterThan(0);
    expect(bans.dropped.offence).toBeGreaterThan(0);
    expect((await store.list()).length).toBeGreaterThanOrEqual(60_000);
    expect(limits.take(clientAt(latest))).toBe('banned');
  });
});
