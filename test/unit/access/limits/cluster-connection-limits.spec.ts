import { describe, expect, it, onTestFinished } from 'vitest';
import type { AccessSettings } from '../../../../src/access/access-settings.js';
import { ExemptAddresses } from '../../../../src/access/limits/exempt-addresses.js';
import { ClusterConnectionLimits, type PlaceOwner } from '../../../../src/access/limits/cluster-connection-limits.js';
import { ClusterEvents } from '../../../../src/cluster/ports/cluster-events.js';
import { LoneNodeBus } from '../../../../src/cluster/bus/lone-node-bus.js';
import { MemorySharedCounts } from '../../../../src/cluster/memory/memory-shared-counts.js';
import type { CountKind } from '../../../../src/cluster/ports/shared-counts.js';
import { GatehouseError } from '../../../../src/protocol/gatehouse-error.js';
import { SessionEvents } from '../../../../src/sessions/session-events.js';
import type { Session } from '../../../../src/sessions/session.js';
import { eventually } from '../../../support/eventually.js';

/** Away while `isAway`, wholly or for one kind; refuses and answers in between as the memory does. */
class MoodyCounts extends MemorySharedCounts {
  isAway: boolean | CountKind = false;
  /** Called before each answer. */
  meanwhile = (): void => {};

  override async take(kind: CountKind, key: string, limit: number): Promise<boolean> {
    const isTaken = await super.take(kind, key, limit);
    this.meanwhile();
    if (this.isAway !== true && this.isAway !== kind) return isTaken;
    if (isTaken) this.release(kind, key);
    throw new GatehouseError('SERVER_BUSY');
  }
}

function places() {
  const counts = new MoodyCounts('a');
  const bus = Object.assign(new LoneNodeBus(), { reachesOthers: true });
  const connections = { maxPerIp: 2, maxPerUser: 1, exemptAddresses: ['192.0.2.64/26'] as readonly string[] };
  const settings = { connections } as AccessSettings;
  const events = new SessionEvents();
  const shared = new ClusterConnectionLimits(
    settings,
    bus,
    counts,
    new ClusterEvents(),
    events,
    new ExemptAddresses(settings),
  );
  onTestFinished(() => shared.onApplicationShutdown());
  return { shared, counts, events };
}

function owner(sessionId: string, userId = 'alice', anonymous = false): PlaceOwner {
  return { sessionId, limitKey: '192.0.2.1', principal: { userId, anonymous } };
}

describe('the places of a connection', () => {
  it('are taken all or none', async () => {
    const { shared, counts } = places();
    expect(await shared.take(owner('1'))).toBeUndefined();
    expect(await shared.take(owner('2'))).toBe('too_many_of_user');
    expect(await shared.take(owner('3', 'bob'))).toBeUndefined();
    expect(await shared.take(owner('4', 'carol'))).toBe('too_many_from_address');
    expect(await shared.take(owner('5', 'anonymous:5', true))).toBe('too_many_from_address');
    shared.release(owner('1'));
    shared.release(owner('3', 'bob'));
    expect(counts.size).toBe(0);
  });

  it('are those of the user only where the address is exempt, and given back when its session closes', async () => {
    const { shared, counts, events } = places();
    const principal = { userId: 'alice', anonymous: false };
    expect(await shared.take({ sessionId: '1', limitKey: undefined, principal })).toBeUndefined();
    expect([counts.size, (await counts.byNode('user', 'alice')).get('a')]).toEqual([1, 1]);
    // Another of the same network that is not exempt must not lose its place by that.
    await shared.take(owner('2', 'bob'));
    events.emit('closed', { id: '1', address: '192.0.2.65', principal } as unknown as Session, 1000, '');
    expect(counts.size).toBe(2);
    expect((await counts.byNode('address', '192.0.2.1')).get('a')).toBe(1);
  });

  it.each([true, 'user', 'address'] as const)(
    'are not counted by half where the store is away (%s)',
    async (isAway) => {
      const { shared, counts } = places();
      counts.isAway = isAway;
      expect(await shared.take(owner('1'))).toBeUndefined();
      expect(counts.size).toBe(0);
      shared.release(owner('1'));
      expect(counts.size).toBe(0);
    },
  );

  it('are counted when the store is back, however many there are by then', async () => {
    const { shared, counts } = places();
    counts.isAway = true;
    for (let n = 0; n < 250; n += 1) await shared.take(owner(`session ${n}`));
    counts.isAway = false;
    await eventually('all are counted', async () => (await counts.byNode('user', 'alice')).get('a') === 250);
    expect((await counts.byNode('address', '192.0.2.1')).get('a')).toBe(250);
    for (let n = 0; n < 250; n += 1) shared.release(owner(`session ${n}`));
    expect(counts.size).toBe(0);
  });

  it('are given back where the connection closes while it is counted belatedly', async () => {
    const { shared, counts } = places();
    counts.isAway = true;
    await shared.take(owner('1'));
    await shared.take(owner('2', 'bob'));
    counts.isAway = false;
    let hasClosed = false;
    counts.meanwhile = () => {
      if (!hasClosed) shared.release(owner('1'));
      hasClosed = true;
    };
    await eventually('the other is counted', async () => (await counts.byNode('user', 'bob')).get('a') === 1);
    await eventually('nothing is left of the first', async () => (await counts.byNode('user', 'alice')).size === 0);
    expect((await counts.byNode('address', '192.0.2.1')).get('a')).toBe(1);
  });
});
