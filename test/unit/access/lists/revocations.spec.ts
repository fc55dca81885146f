import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WATCH_MS } from '../../../../src/access/lists/list-sync.js';
import { Revocations } from '../../../../src/access/lists/revocations.js';
import { SessionReview, type Judge } from '../../../../src/access/lists/session-review.js';
import { principalFromClaims } from '../../../../src/authentication/claims.js';
import { ClusterEvents } from '../../../../src/cluster/ports/cluster-events.js';
import { MemoryRecordStore } from '../../../../src/cluster/memory/memory-record-store.js';
import { REVOCATIONS, type Revocation } from '../../../../src/cluster/ports/revocation-store.js';
import { GatehouseError } from '../../../../src/protocol/gatehouse-error.js';
import { eventually } from '../../../support/eventually.js';
import { recordedBus } from '../recorded-bus.js';

/** Away while `isAway`. */
class MoodyStore extends MemoryRecordStore<Revocation> {
  isAway = false;
  private name = 'one';

  constructor(max?: number) {
    super(REVOCATIONS, max);
  }

  override async put(revocation: Revocation): Promise<boolean | Revocation> {
    if (this.isAway) throw new GatehouseError('SERVER_BUSY');
    return super.put(revocation);
  }

  override async list(): Promise<readonly Revocation[]> {
    if (this.isAway) throw new GatehouseError('SERVER_BUSY');
    return super.list();
  }

  override life(): Promise<string> {
    return Promise.resolve(this.name);
  }

  /** As a Redis that is restarted without its data. */
  async lose(): Promise<void> {
    for (const { kind, key } of await super.list()) await super.lift(kind, key);
    this.name += ' again';
  }
}

class Looks extends SessionReview {
  readonly at: string[] = [];

  constructor() {
    super(undefined as never);
  }

  override async all(_judge: Judge) {
    return this.look('all');
  }

  override async ofUser(userId: string) {
    return this.look(userId);
  }

  override async ofToken(tokenId: string) {
    return this.look(tokenId);
  }

  private look(what: string) {
    this.at.push(what);
    return { ended: 1, changed: 0, dropped: 0 };
  }
}

function node(store = new MoodyStore()) {
  const events = new ClusterEvents();
  const { bus, handlers, told, asked } = recordedBus();
  const lost: string[] = [];
  const looks = new Looks();
  events.on('lost', (what) => lost.push(what));
  const revocations = new Revocations(bus, store, events, looks);
  onTestFinished(() => revocations.onApplicationShutdown());
  const refuses = (jti: string): boolean => {
    const principal = principalFromClaims({ sub: 'alice', jti });
    return principal !== undefined && revocations.judge(principal) === undefined;
  };
  return { revocations, store, events, handlers, told, asked, lost, looks, refuses };
}

const revocation = (key: string): Revocation => ({ kind: 'token', key, until: Date.now() + 3_600_000, reason: '' });

describe('a node', () => {
  it('knows before it serves what was revoked before it started', async () => {
    const store = new MoodyStore();
    await store.put(revocation('t1'));
    const { revocations, refuses } = node(store);
    await revocations.onApplicationBootstrap();
    expect([refuses('t1'), refuses('t2')]).toEqual([true, false]);
  });

  it('serves where the list cannot be read, and catches up with its sessions when it can', async () => {
    const store = new MoodyStore();
    await store.put(revocation('t1'));
    store.isAway = true;
    const { revocations, refuses, looks } = node(store);
    await revocations.onApplicationBootstrap();
    expect([refuses('t1'), looks.at]).toEqual([false, []]);
    store.isAway = false;
    await eventually('it has read the store', () => refuses('t1'));
    expect(looks.at).toEqual(['t1']);
  });

  it('that rejoins learns what was revoked and lifted meanwhile', async () => {
    const { revocations, store, events, refuses } = node();
    await revocations.onApplicationBootstrap();
    await revocations.add(revocation('lifted meanwhile'));
    await revocations.add(revocation('stays'));
    await store.lift('token', 'lifted meanwhile');
    await store.put(revocation('revoked meanwhile'));
    events.emit('rejoined');
    await eventually('it has read the store', () => refuses('revoked meanwhile'));
    expect([refuses('lifted meanwhile'), refuses('stays')]).toEqual([false, true]);
  });

  it('that reads an order in the store before it hears of it answers with the effect that it had', async () => {
    const { revocations, store, events, handlers, refuses, looks } = node();
    await revocations.onApplicationBootstrap();
    const order = revocation('t1');
    await store.put(order);
    events.emit('rejoined');
    await eventually('it has read the store', () => refuses('t1'));
    expect(await handlers.get('revoke')?.(order, 'another node')).toMatchObject({ ended: 1 });
    expect(looks.at).toEqual(['t1']);

    await revocations.lift('token', 't1');
    expect(refuses('t1')).toBe(false);
    await handlers.get('revoke')?.(order, 'another node');
    expect([refuses('t1'), looks.at]).toEqual([true, ['t1', 't1']]);
  });

  it('stores what was ordered while Redis was away, and tells the others, once it is back', async () => {
    const { revocations, store, told, lost, refuses, looks } = node();
    store.isAway = true;
    await expect(revocations.add(revocation('t1'))).rejects.toMatchObject({
      code: 'SERVER_BUSY',
      message: 'Redis cannot be reached. The revocation applies on this node now, and on all nodes when Redis is back',
    });
    expect([refuses('t1'), looks.at, lost]).toEqual([true, ['t1'], ['revocation']]);
    store.isAway = false;
    await eventually('it is stored', async () => (await store.list()).length === 1);
    expect(told.at(-1)).toMatchObject(['revoke', { kind: 'token', key: 't1' }]);
    expect(refuses('t1')).toBe(true);
  });

  it('that has not heard of the order of an ADMIN learns of it when a SERVICE would lift or replace it', async () => {
    const service = { givenAs: 'SERVICE' } as const;
    const refusal = { code: 'FORBIDDEN', message: 'An ADMIN gave this order, so only an ADMIN can undo it' };
    const { revocations, store, refuses, told, asked } = node();
    await store.put(revocation('t1'));
    await expect(revocations.lift('token', 't1', service)).rejects.toMatchObject(refusal);
    expect(refuses('t1')).toBe(true);
    const demotion: Revocation = {
      kind: 'rights',
      key: 'alice',
      until: Date.now() + 60_000,
      reason: '',
      issuedBefore: 1,
      roles: [],
    };
    await store.put(demotion);
    const later = { ...demotion, until: Date.now() + 120_000, roles: ['SERVICE'], ...service };
    await expect(revocations.add(later)).rejects.toMatchObject(refusal);
    expect(revocations.get('rights', 'alice')).toEqual(demotion);
    // It may hear of it while it checks who acts.
    await expect(revocations.add(later)).rejects.toMatchObject(refusal);
    expect(revocations.get('rights', 'alice')).toEqual(demotion);
    expect(await store.list()).toHaveLength(2);
    expect([told, asked]).toEqual([[], []]);
  });

  it('puts again what a store has lost that came back with an older state', async () => {
    const { revocations, store, events, refuses } = node();
    await revocations.onApplicationBootstrap();
    await revocations.add(revocation('t1'));
    await store.lose();
    events.emit('rejoined');
    await eventually('it is stored again', async () => (await store.list()).length === 1);
    expect(refuses('t1')).toBe(true);
  });

  it('notices within seconds that the store has lost its list, puts it again, and tells the others', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const { revocations, store, told, refuses } = node();
    await revocations.onApplicationBootstrap();
    await revocations.add(revocation('t1'));
    await store.lose();
    expect(await revocations.list()).toMatchObject([{ key: 't1' }]);
    await vi.advanceTimersByTimeAsync(WATCH_MS);
    await eventually('it is stored again', async () => (await store.list()).length === 1);
    expect([refuses('t1'), told.at(-1)]).toEqual([true, ['revocations-restated', {}]]);
  });

  it('puts again what the store holds in an older state', async () => {
    const { revocations, store, events } = node();
    await revocations.onApplicationBootstrap();
    const demotion = { ...revocation('ann'), kind: 'rights', issuedBefore: 2_000, roles: [] } as const;
    await revocations.add(demotion);
    await store.lose();
    await store.put({ ...demotion, issuedBefore: 1_000, roles: ['ADMIN'] });
    events.emit('rejoined');
    await eventually(
      'the later one is stored',
      async () =>
        (await store.list())[0]?.kind === 'rights' && JSON.stringify(await store.list()) === JSON.stringify([demotion]),
    );
  });

  it('reads the list when another has put something again', async () => {
    const { store, handlers, refuses } = node();
    await store.put(revocation('t1'));
    await handlers.get('revocations-restated')?.({}, 'other');
    await eventually('it has read the store', () => refuses('t1'));
  });

  it('carries out what another says, and what is no revocation is refused', async () => {
    const { handlers, refuses, looks } = node();
    await handlers.get('revoke')?.(revocation('t1'), 'other');
    expect([refuses('t1'), looks.at]).toEqual([true, ['t1']]);
    await handlers.get('lift-revocation')?.({ ...revocation('t1'), until: 0 }, 'other');
    expect(refuses('t1')).toBe(false);
    for (const bad of [undefined, {}, { ...revocation('t1'), kind: 'user' }])
      expect(() => handlers.get('revoke')?.(bad, 'other')).toThrow(TypeError);
  });
});

describe('too many', () => {
  it('are refused: the new one does not hold, those before do, and it is counted', async () => {
    const { revocations, refuses } = node(new MoodyStore(2));
    await revocations.add(revocation('t1'));
    await revocations.add(revocation('t2'));
    await expect(revocations.add(revocation('t3'))).rejects.toMatchObject({
      code: 'SERVER_BUSY',
      message: 'Too many revocations are in force. Lift some, or wait until some expire',
    });
    expect([refuses('t1'), refuses('t2'), refuses('t3'), revocations.refusedCount]).toEqual([true, true, false, 1]);
    await revocations.lift('token', 't1');
    await revocations.add(revocation('t3'));
    expect([revocations.activeCount, refuses('t3')]).toEqual([2, true]);
  });

  it('while Redis is away are a thousand', async () => {
    const { revocations, store, refuses } = node();
    store.isAway = true;
    for (let n = 0; n <= 1_000; n += 1) await revocations.add(revocation(`t${n}`)).catch(() => {});
    expect([refuses('t999'), refuses('t1000'), revocations.refusedCount]).toEqual([true, false, 1]);
  });
});
