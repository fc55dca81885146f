import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { AccessEvents } from '../../../../src/access/access-events.js';
import { Bans } from '../../../../src/access/lists/bans.js';
import type { SessionTermination } from '../../../../src/access/session-termination.js';
import { WATCH_MS } from '../../../../src/access/lists/list-sync.js';
import type { AccessSettings } from '../../../../src/access/access-settings.js';
import { BANS, type Ban } from '../../../../src/cluster/ports/ban-store.js';
import { ClusterEvents } from '../../../../src/cluster/ports/cluster-events.js';
import { MemoryRecordStore } from '../../../../src/cluster/memory/memory-record-store.js';
import { GatehouseError } from '../../../../src/protocol/gatehouse-error.js';
import { eventually } from '../../../support/eventually.js';
import { gate } from '../../../support/gate.js';
import { recordedBus } from '../recorded-bus.js';

const HOUR_MS = 3_600_000;

/** Away while `isAway`, and slow while it has a `door`. */
class MoodyStore extends MemoryRecordStore<Ban> {
  isAway = false;
  private name = 'one';
  door: Promise<void> | undefined;

  constructor() {
    super(BANS);
  }

  override async put(ban: Ban): Promise<boolean | Ban> {
    await this.door;
    if (this.isAway) throw new GatehouseError('SERVER_BUSY');
    return super.put(ban);
  }

  override async list(): Promise<readonly Ban[]> {
    if (this.isAway) throw new GatehouseError('SERVER_BUSY');
    return super.list();
  }

  override life(): Promise<string> {
    return Promise.resolve(this.name);
  }

  /** As a Redis that is restarted without its data, or with those of a moment before. */
  async goBackTo(older: readonly Ban[]): Promise<void> {
    for (const { kind, key } of await super.list()) await super.lift(kind, key);
    for (const ban of older) await super.put(ban);
    this.name += ' again';
  }
}

function node() {
  const store = new MoodyStore();
  const events = new ClusterEvents();
  const { bus, handlers, told, asked } = recordedBus();
  const expelled: string[] = [];
  const lost: string[] = [];
  events.on('lost', (what) => lost.push(what));
  const termination = { userHere: (userId: string) => expelled.push(userId) } as unknown as SessionTermination;
  const settings = { connections: { banDurationMs: 60_000, banMaxDurationMs: 86_400_000 } } as AccessSettings;
  const access = new AccessEvents();
  const made: Ban[] = [];
  access.on('banned', (ban) => made.push(ban));
  const bans = new Bans(settings, bus, store, events, access, termination);
  onTestFinished(() => bans.onApplicationShutdown());
  return { bans, store, events, handlers, told, asked, expelled, lost, made };
}

function banOf(key: string): Ban {
  return { kind: 'user', key, until: Date.now() + HOUR_MS, reason: 'a test', by: 'operator' };
}

function breachOf(key: string, others: Partial<Ban> = {}): Ban {
  const until = Date.now() + HOUR_MS;
  return { kind: 'address', key, until, reason: 'connection_rate', by: 'breach', offences: 1, ...others };
}

function order(key: string) {
  return { kind: 'user', key, durationMs: HOUR_MS, reason: 'a test' } as const;
}

describe('a node that rejoins the others', () => {
  it('learns what was banned and lifted meanwhile, and ends the sessions of the banned', async () => {
    const { bans, store, events, expelled } = node();
    await bans.ban(order('lifted meanwhile'));
    await bans.ban(order('stays'));
    await store.lift('user', 'lifted meanwhile');
    await store.put(banOf('banned meanwhile'));
    events.emit('rejoined');
    await eventually('it has read the store', () => bans.isBanned('user', 'banned meanwhile'));
    expect([bans.isBanned('user', 'lifted meanwhile'), bans.isBanned('user', 'stays')]).toEqual([false, true]);
    expect(expelled).toEqual(['lifted meanwhile', 'stays', 'banned meanwhile']);
  });

  it('stores what it banned itself meanwhile, and tells the others', async () => {
    const { bans, store, told, lost } = node();
    store.isAway = true;
    await expect(bans.ban(order('mallory'))).rejects.toMatchObject({ code: 'SERVER_BUSY' });
    expect([bans.isBanned('user', 'mallory'), lost]).toEqual([true, ['ban']]);
    store.isAway = false;
    await eventually('it is stored', async () => (await store.list()).length === 1);
    expect(told).toMatchObject([['ban', { key: 'mallory' }]]);
    expect(bans.isBanned('user', 'mallory')).toBe(true);
  });

  it('reads again where the list cannot be read at first', async () => {
    const { bans, store, events } = node();
    await store.put(banOf('mallory'));
    store.isAway = true;
    events.emit('rejoined');
    await eventually('it serves on', () => !bans.isBanned('user', 'mallory'));
    store.isAway = false;
    await eventually('it has read the store', () => bans.isBanned('user', 'mallory'));
  });
});

describe('a node that has not heard of the ban of an ADMIN', () => {
  const SERVICE = { givenAs: 'SERVICE' } as const;
  const refusal = { code: 'FORBIDDEN', message: 'An ADMIN gave this order, so only an ADMIN can undo it' };

  it('learns of it when a SERVICE would lift it, and tells the others nothing', async () => {
    const { bans, store, told, expelled } = node();
    const ban = banOf('mallory');
    await store.put(ban);
    await expect(bans.lift('user', 'mallory', SERVICE)).rejects.toMatchObject(refusal);
    expect([bans.get('user', 'mallory'), await store.list(), told]).toEqual([ban, [ban], []]);
    expect(expelled).toEqual(['mallory']);
    expect(await bans.lift('user', 'mallory')).toBe(true);
    expect(bans.isBanned('user', 'mallory')).toBe(false);
  });

  it('learns of it when a SERVICE would replace it, and tells the others nothing', async () => {
    const { bans, store, told, asked, made, lost } = node();
    const ban = banOf('mallory');
    await store.put(ban);
    await expect(bans.ban({ ...order('mallory'), durationMs: 1_000, ...SERVICE })).rejects.toMatchObject(refusal);
    expect([bans.get('user', 'mallory'), await store.list()]).toEqual([ban, [ban]]);
    expect([told, asked, made, lost]).toEqual([[], [], [], []]);
  });

  it('learns of it when the ban of a SERVICE can be stored, which waited for the store', async () => {
    const { bans, store, told } = node();
    store.isAway = true;
    await expect(bans.ban({ ...order('mallory'), ...SERVICE })).rejects.toMatchObject({ code: 'SERVER_BUSY' });
    const ban = banOf('mallory');
    store.isAway = false;
    await store.put(ban);
    await eventually('it has put its own', () => bans.get('user', 'mallory')?.givenAs === undefined);
    expect([bans.get('user', 'mallory'), await store.list(), told]).toEqual([ban, [ban], []]);
  });

  it('takes it from a store that has lost something, although a SERVICE has banned for longer', async () => {
    const { bans, store, events } = node();
    await bans.onApplicationBootstrap();
    await bans.ban({ ...order('mallory'), durationMs: 2 * HOUR_MS, ...SERVICE });
    const ban = banOf('mallory');
    await store.goBackTo([ban]);
    events.emit('rejoined');
    await eventually('it has read the store', () => bans.get('user', 'mallory')?.givenAs === undefined);
    expect(await store.list()).toEqual([ban]);
  });
});

describe('bans of breaches', () => {
  it('hold here though no more than a hundred are on their way to the store', async () => {
    const { bans, store, lost } = node();
    const door = gate();
    store.door = door.opened;
    for (let n = 0; n < 103; n += 1) bans.breach(`address ${n}`, 'connection_rate');
    expect(lost).toEqual(['ban', 'ban', 'ban']);
    expect(bans.activeCount).toBe(103);
    door.open();
    await eventually('the others are stored', async () => (await store.list()).length === 100);
  });
});

describe('an address that breaks limits again and again', () => {
  function banned(made: readonly Ban[]) {
    return made.map(({ until, offences }) => [(until - Date.now()) / 60_000, offences]);
  }

  it('is banned twice as long each time, and as long as at first once an operator has lifted a ban', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const { bans, made } = node();
    for (const minutes of [1, 2, 4]) {
      bans.breach('192.0.2.1', 'connection_rate');
      expect(banned(made.splice(0))).toEqual([[minutes, Math.log2(minutes) + 1]]);
      vi.setSystemTime(Date.now() + minutes * 60_000 - 1);
      expect(bans.isBanned('address', '192.0.2.1')).toBe(true);
      vi.setSystemTime(Date.now() + 1);
      expect(bans.isBanned('address', '192.0.2.1')).toBe(false);
    }
    bans.breach('192.0.2.1', 'connection_rate');
    await bans.lift('address', '192.0.2.1');
    bans.breach('192.0.2.1', 'message_rate');
    expect(banned(made)).toEqual([
      [8, 4],
      [1, 1],
    ]);
  });

  it('is banned once for what several connections of it do at the same moment', () => {
    const { bans, made, told } = node();
    for (let n = 0; n < 20; n += 1) bans.breach('192.0.2.1', 'too_many_from_address');
    expect(banned(made).map(([, offences]) => offences)).toEqual([1]);
    expect(told).toHaveLength(1);
  });

  it('is not banned for less than an operator has banned it', async () => {
    const { bans, store } = node();
    await bans.ban({ kind: 'address', key: '192.0.2.1', durationMs: 1_000_000, reason: 'a test' });
    bans.breach('192.0.2.1', 'connection_rate');
    expect(await store.list()).toMatchObject([{ reason: 'a test', by: 'operator' }]);
  });

  it('is banned by another node for as long as this one would: a ban says which one it is', () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const { bans, handlers, made } = node();
    handlers.get('ban')?.(breachOf('192.0.2.1', { offences: 5 }), 'other');
    vi.setSystemTime(Date.now() + HOUR_MS);
    bans.breach('192.0.2.1', 'connection_rate');
    expect(banned(made)).toEqual([[32, 6]]);
  });
});

describe('bans of breaches, where a node rejoins the others', () => {
  it('are lifted that were lifted meanwhile, and are kept that were never stored', async () => {
    const { bans, store, events } = node();
    bans.breach('lifted meanwhile', 'connection_rate');
    bans.breach('stays', 'connection_rate');
    await eventually('they are stored', async () => (await store.list()).length === 2);
    store.isAway = true;
    bans.breach('never stored', 'connection_rate');
    store.isAway = false;
    await store.lift('address', 'lifted meanwhile');
    await store.put(breachOf('banned meanwhile'));
    events.emit('rejoined');
    await eventually('it has read the store', () => bans.isBanned('address', 'banned meanwhile'));
    expect(['lifted meanwhile', 'stays', 'never stored'].map((key) => bans.isBanned('address', key))).toEqual([
      false,
      true,
      true,
    ]);
  });

  it('are stored again where the store has lost them', async () => {
    const { bans, store, events } = node();
    await store.put(banOf('marker'));
    events.emit('rejoined');
    await eventually('it has read the store', () => bans.isBanned('user', 'marker'));
    bans.breach('192.0.2.1', 'connection_rate');
    await eventually('it is stored', async () => (await store.list()).length === 2);
    await store.goBackTo([]);
    events.emit('rejoined');
    await eventually('both are stored again', async () => (await store.list()).length === 2);
    expect(bans.isBanned('address', '192.0.2.1')).toBe(true);
  });
});

describe('a ban that another node tells of', () => {
  it('holds, and is lifted when the other says so', async () => {
    const { bans, handlers, expelled } = node();
    expect(handlers.get('ban')?.(banOf('mallory'), 'other')).toBe(expelled.length);
    expect(bans.isBanned('user', 'mallory')).toBe(true);
    handlers.get('lift-ban')?.({ kind: 'user', key: 'mallory', until: 0, reason: '' }, 'other');
    expect(bans.isBanned('user', 'mallory')).toBe(false);
  });

  it.each([{}, { kind: 'planet', key: 'x', until: 1, reason: '' }, { kind: 'user', key: 7, until: 1, reason: '' }])(
    'is refused where it is none: %j',
    (payload) => {
      const { handlers } = node();
      expect(() => handlers.get('ban')?.(payload, 'other')).toThrow(TypeError);
    },
  );
});

describe('a duration that is none', () => {
  it.each([0, -1, NaN, Infinity, 0.5])('is refused: %d', async (durationMs) => {
    const { bans } = node();
    await expect(bans.ban({ ...order('mallory'), durationMs })).rejects.toThrow(RangeError);
    expect(bans.activeCount).toBe(0);
  });
});

describe('a store that has lost everything', () => {
  it('lifts nothing: what a node knows is put again', async () => {
    const { bans, store, events } = node();
    events.emit('rejoined');
    await bans.ban(order('mallory'));
    await eventually('it has been read', async () => {
      events.emit('rejoined');
      await pause(60);
      return (await store.list()).length === 1;
    });
    await store.goBackTo([]);
    events.emit('rejoined');
    await eventually('it is stored again', async () => (await store.list()).length === 1);
    expect(bans.isBanned('user', 'mallory')).toBe(true);
  });
});

describe('a store that has lost its list, while nothing else shows it', () => {
  it('has it again within seconds, and the other nodes are told', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const { bans, store, told } = node();
    await bans.onApplicationBootstrap();
    await bans.ban(order('mallory'));
    bans.breach('192.0.2.1', 'connection_rate');
    await eventually('both are stored', async () => (await store.list()).length === 2);
    await store.goBackTo([]);
    expect((await bans.list()).map(({ key }) => key)).toEqual(['mallory', '192.0.2.1']);
    await vi.advanceTimersByTimeAsync(WATCH_MS);
    await eventually('both are stored again', async () => (await store.list()).length === 2);
    expect(told.at(-1)).toEqual(['bans-restated', {}]);
    expect([bans.isBanned('user', 'mallory'), bans.isBanned('address', '192.0.2.1')]).toEqual([true, true]);
  });

  it('is read by a node that another tells of it', async () => {
    const { bans, store, handlers } = node();
    await store.put(banOf('mallory'));
    await handlers.get('bans-restated')?.({}, 'other');
    await eventually('it has read the store', () => bans.isBanned('user', 'mallory'));
  });
});

describe('a node that starts', () => {
  it('knows before it serves who is banned', async () => {
    const { bans, store } = node();
    await store.put(banOf('mallory'));
    await bans.onApplicationBootstrap();
    expect(bans.isBanned('user', 'mallory')).toBe(true);
  });
});

describe('a store that has gone back to an older state', () => {
  async function backFrom(older: (stored: readonly Ban[]) => readonly Ban[]) {
    const parts = node();
    const { bans, store, events } = parts;
    await store.put(banOf('marker'));
    events.emit('rejoined');
    await eventually('it has read the store', () => bans.isBanned('user', 'marker'));
    await bans.ban(order('mallory'));
    await store.goBackTo(older(await store.list()));
    return parts;
  }
  const untilOf = async (store: MoodyStore, name: string) =>
    (await store.list()).find(({ key }) => key === name)?.until ?? 0;

  it('lifts no ban that is missing in it, and has it again', async () => {
    const { bans, store, events } = await backFrom((stored) => stored.filter(({ key }) => key === 'marker'));
    events.emit('rejoined');
    await eventually('it is stored again', async () => (await untilOf(store, 'mallory')) > 0);
    await pause(100);
    expect(bans.isBanned('user', 'mallory')).toBe(true);
    expect(await store.list()).toHaveLength(2);
  });

  it('shortens none', async () => {
    const shorter = Date.now() + 120_000;
    const { store, events } = await backFrom((stored) => stored.map((ban) => ({ ...ban, until: shorter })));
    events.emit('rejoined');
    await eventually('it is as long again', async () => (await untilOf(store, 'mallory')) > shorter);
  });

  it('lifts none though it is away while they are put again', async () => {
    const { bans, store, events } = await backFrom(() => []);
    const put = store.put.bind(store);
    let refusals = 2;
    store.put = (ban) => {
      refusals -= 1;
      return refusals < 0 ? put(ban) : Promise.reject(new GatehouseError('SERVER_BUSY'));
    };
    events.emit('rejoined');
    await eventually('both are stored again', async () => (await store.list()).length === 2);
    expect([bans.isBanned('user', 'mallory'), bans.isBanned('user', 'marker')]).toEqual([true, true]);
  });
});
