import { describe, expect, it } from 'vitest';
import { parseNamespaces } from '../../../../config/namespaces.js';
import type { ChannelHub } from '../../../../src/channels/channel-hub.js';
import { channelNamed } from '../../../../src/channels/channel.js';
import type { Departure, PresenceTracker } from '../../../../src/channels/presence/presence-tracker.js';
import { StateOwners } from '../../../../src/channels/state/state-owners.js';
import type { StateOrder } from '../../../../src/channels/state/state-order.js';
import type { StateWriter } from '../../../../src/channels/state/state-writer.js';
import type { StatePage, StateStore } from '../../../../src/cluster/ports/state-store.js';
import { GatehouseError } from '../../../../src/protocol/gatehouse-error.js';

const turns = async (count: number): Promise<void> => {
  for (let n = 0; n < count; n += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** Owners of keys by user, over a store that answers with this page. */
class Case implements Disposable {
  readonly removed: string[] = [];
  reads = 0;
  private leave: (departure: Departure) => void = () => undefined;
  private readonly owners: StateOwners;

  constructor(private readonly read: () => Promise<StatePage>) {
    const page = (): Promise<StatePage> => {
      this.reads += 1;
      return this.read();
    };
    const carryOut = (_: unknown, { key }: StateOrder): Promise<void> => {
      this.removed.push(key);
      return Promise.resolve();
    };
    const onDeparture = (heard: typeof this.leave): void => void (this.leave = heard);
    this.owners = new StateOwners(
      { page } as unknown as StateStore,
      { carryOut } as unknown as StateWriter,
      {} as ChannelHub,
      { onDeparture } as unknown as PresenceTracker,
    );
  }

  departs(userId: string, sessionId?: string): void {
    const options = 'publish: anyone, history: { size: 9, age: 1h }, state: { own_key: user }';
    const channel = channelNamed('seat:1', parseNamespaces(`namespaces: { seat: { ${options} } }`));
    this.leave({ channel, userId, sessionId, isLast: true });
  }

  [Symbol.dispose](): void {
    this.owners.onApplicationShutdown();
  }
}

const busyUntil = (reads: number): (() => Promise<StatePage>) => {
  let left = reads;
  return () => {
    left -= 1;
    return left < 0 ? new Promise(() => undefined) : Promise.reject(new GatehouseError('SERVER_BUSY'));
  };
};

describe('the keys of an owner that has left', () => {
  it('are looked for again later, and not at once, while the store cannot be reached', async () => {
    using one = new Case(busyUntil(100));
    one.departs('alice', 'session-1');
    await turns(5);
    expect(one.reads).toBe(1);
  });

  it('are those of this user, even if the id of another one ends with it', async () => {
    const entry = { value: 1, version: 1, hasExpired: false };
    const entries = ['alice', 'bob alice'].map((owner) => ({ ...entry, key: `of ${owner}`, owner }));
    using one = new Case(() => Promise.resolve({ position: { epoch: 'e', seq: 1 }, entries, next: undefined }));
    one.departs('alice');
    await turns(5);
    expect(one.removed).toEqual(['of alice']);
  });

  it('are looked for in a large channel only now and then, however often owners leave', async () => {
    const slowly = (): Promise<StatePage> => {
      const endsAt = performance.now() + 10;
      while (performance.now() < endsAt);
      return Promise.resolve({ position: { epoch: 'e', seq: 1 }, entries: [], next: undefined });
    };
    using one = new Case(slowly);
    for (let n = 0; n < 50; n += 1) {
      one.departs(`user-${n}`, `session-${n}`);
      await turns(1);
    }
    expect(one.reads).toBeLessThan(25);
  });
});
