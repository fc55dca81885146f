import { describe, expect, it } from 'vitest';
import { parseNamespaces } from '../../../../config/namespaces.js';
import type { ChannelHub } from '../../../../src/channels/channel-hub.js';
import { channelNamed, type Channel } from '../../../../src/channels/channel.js';
import type { Departure, PresenceTracker } from '../../../../src/channels/presence/presence-tracker.js';
import { StateOwners } from '../../../../src/channels/state/state-owners.js';
import type { StateOrder } from '../../../../src/channels/state/state-order.js';
import type { StateWriter } from '../../../../src/channels/state/state-writer.js';
import type { Presence } from '../../../../src/cluster/ports/presence-store.js';
import type { StatePage, StateStore } from '../../../../src/cluster/ports/state-store.js';
import { GatehouseError } from '../../../../src/protocol/gatehouse-error.js';
import type { Session } from '../../../../src/sessions/session.js';

const turns = async (count: number): Promise<void> => {
  for (let n = 0; n < count; n += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** Owners of keys by user, over a store that answers with this page. Nobody is subscribed on this node. */
class Case implements Disposable {
  readonly removed: string[] = [];
  reads = 0;
  private leave: (departure: Departure) => void = () => undefined;
  private readonly owners: StateOwners;

  constructor(
    private readonly read: () => Promise<StatePage>,
    private readonly ownKey: 'user' | 'session' = 'user',
    members: () => Promise<readonly Presence[]> = async () => [],
  ) {
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
      { isSubscribed: () => false } as unknown as ChannelHub,
      { onDeparture, members } as unknown as PresenceTracker,
    );
  }

  /** A session has set a key, and was not in the channel any more when that was done. */
  sets(userId: string, id: string): void {
    this.owners.note({ id, userId } as Session, this.channel);
  }

  departs(userId: string, sessionId?: string): void {
    this.leave({ channel: this.channel, userId, sessionId, isLast: true });
  }

  private get channel(): Channel {
    const options = `publish: anyone, history: { size: 9, age: 1h }, state: { own_key: ${this.ownKey} }`;
    return channelNamed('seat:1', parseNamespaces(`namespaces: { seat: { ${options} } }`));
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

  describe('that set one while it left', () => {
    const ann = { sessionId: 'one', userId: 'ann' };
    const pageOf = (owner: string) => async () => {
      const entry = { key: 'a', value: 1, version: 1, hasExpired: false, owner };
      return { position: { epoch: 'e', seq: 1 }, entries: [entry], next: undefined };
    };

    it.each([
      ['go if nobody of the user is there', 'user', 'ann', [{ sessionId: 'two', userId: 'bob' }], ['a']],
      ['stay if another session of the user is there', 'user', 'ann', [{ sessionId: 'two', userId: 'ann' }], []],
      ['go if the session is not there', 'session', 'one ann', [{ sessionId: 'two', userId: 'ann' }], ['a']],
      ['stay if the session may be back in a moment', 'session', 'one ann', [ann], []],
    ] as const)('%s; own_key: %s', async (_name, ownKey, owner, members, removed) => {
      using one = new Case(pageOf(owner), ownKey, async () => members);
      one.sets('ann', 'one');
      await turns(5);
      expect(one.removed).toEqual(removed);
    });

    it('stay if nobody can tell who is there', async () => {
      using one = new Case(pageOf('ann'), 'user', () => Promise.reject(new GatehouseError('SERVER_BUSY')));
      one.sets('ann', 'one');
      await turns(5);
      expect(one.removed).toEqual([]);
    });

    it('go when its presence ends, if the session has set them on this node', async () => {
      using one = new Case(pageOf('one ann'), 'session', async () => [ann]);
      one.sets('ann', 'one');
      await turns(5);
      one.departs('ann', 'one');
      await turns(5);
      expect(one.removed).toEqual(['a']);
    });
  });
});
