import { afterEach, describe, expect, it, vi } from 'vitest';
import { Ring } from '../../../src/channels/ledger/ring.js';
import { MAX_EPISODES, MAX_RUNS, MAX_WEIGHT } from '../../../src/channels/ledger/subscription-record.js';
import { accountOf, type NodeAccount } from '../../../src/channels/ledger/node-account.js';
import type { Session } from '../../../src/sessions/session.js';
import type { SessionRegistry } from '../../../src/sessions/session-registry.js';
import { channelNode, NAME, ReadableSession, type ChannelNode } from './node.js';

const LEDGER = 'history: { size: 100, age: 1h }, ledger: true';

interface Asked {
  readonly seq: number;
  readonly epoch?: string;
}

function ask({ broker, ledgers, hub, channel }: ChannelNode, session: ReadableSession, asked: Asked): NodeAccount {
  const ledger = ledgers.of(channel.namespace);
  if (ledger === undefined) throw new Error('there is no ledger');
  const question = {
    channel: NAME,
    namespace: 'log',
    userId: session.userId,
    top: { epoch: broker.epoch, seq: broker.seq },
    ...asked,
  };
  const isOpen = session.connection.isOpen;
  const sessions = { ofUser: () => (isOpen ? [session] : []) } as unknown as SessionRegistry;
  return accountOf(question, { nodeId: 'here', ledgers, ledger, sessions, local: hub.get(NAME) });
}

afterEach(() => vi.useRealTimers());

describe('a ring', () => {
  const ring = (size: number, ageMs = 1_000) => new Ring<{ at: number }>({ size, ageMs }, ({ at }) => at);

  it('holds the newest, and says since when it is complete', () => {
    vi.useFakeTimers({ now: 10_000 });
    const held = ring(3);
    expect([held.size, held.completeSince]).toEqual([0, 0]);
    for (let at = 10_001; at <= 10_005; at += 1) held.add({ at });
    expect(held.filter(() => true).map(({ at }) => at)).toEqual([10_005, 10_004, 10_003]);
    expect([held.size, held.completeSince]).toEqual([3, 10_002]);
  });

  it('forgets what is too old, also where nothing new comes', () => {
    vi.useFakeTimers({ now: 10_000 });
    const held = ring(100, 50);
    held.add({ at: 10_000 });
    vi.setSystemTime(10_020);
    held.add({ at: 10_020 });
    vi.setSystemTime(10_060);
    expect(held.filter(() => true).map(({ at }) => at)).toEqual([10_020]);
    vi.setSystemTime(20_000);
    expect([held.size, held.completeSince]).toEqual([0, 10_020]);
  });

  it('gives back the room of a hundred thousand', () => {
    const held = ring(10, Infinity);
    for (let at = 1; at <= 100_000; at += 1) held.add({ at });
    expect(held.size).toBe(10);
    expect((Reflect.get(held, 'items') as unknown[]).length).toBeLessThan(3_000);
  });
});

describe('the ledger of a node', () => {
  describe('of recoveries with many holes', () => {
    const HOLES = 3 * MAX_RUNS;
    const LIMIT = 100;

    /** Every second publication is not for the session. */
    const publish = ({ broker }: ChannelNode, { id }: ReadableSession): void => {
      for (let n = 0; n < HOLES; n += 1) broker.append({ excludeSession: n % 2 ? id : undefined });
    };
    const recover = async (node: ChannelNode, session: ReadableSession, since = 0): Promise<void> => {
      await node.join(session, { since: { epoch: node.broker.epoch, seq: since } });
    };

    it('stays within its size, however often a client recovers and leaves, and counts what it holds', async () => {
      using node = channelNode(`history: { size: 100, age: 1h }, ledger: { size: ${LIMIT}, age: 1h }`);
      const session = new ReadableSession();
      publish(node, session);
      for (let round = 0; round < 50; round += 1) {
        for (let n = 0; n < MAX_EPISODES + 3; n += 1) await recover(node, session);
        expect(node.ledgers.size).toBeGreaterThanOrEqual(MAX_WEIGHT);
        expect(node.ledgers.size).toBeLessThanOrEqual(LIMIT + MAX_WEIGHT);
        await node.channels.unsubscribe(session as unknown as Session, node.channel);
        expect(node.ledgers.size).toBeLessThanOrEqual(LIMIT);
      }
      const ledger = node.ledgers.of(node.channel.namespace);
      const records = ledger?.departures.filter(() => true) ?? [];
      expect(records.length).toBe(Math.floor(LIMIT / MAX_WEIGHT));
      expect(records.every(({ weight }) => weight <= MAX_WEIGHT)).toBe(true);
    });

    it('counts what open subscriptions hold, and no more when they have ended and are forgotten', async () => {
      vi.useFakeTimers({ now: 10_000, toFake: ['Date'] });
      using node = channelNode('history: { size: 100, age: 1h }, ledger: { size: 10, age: 1s }');
      const sessions = [1, 2, 3].map((n) => new ReadableSession(`user-${n}`));
      for (const session of sessions) await node.join(session);
      const one = node.ledgers.size / sessions.length;
      expect(one).toBeGreaterThanOrEqual(1);
      expect(one).toBeLessThan(MAX_WEIGHT);
      for (const session of sessions) node.leave(session);
      expect(node.ledgers.size).toBeLessThanOrEqual(10 + sessions.length);
      vi.setSystemTime(12_000);
      expect(node.ledgers.of(node.channel.namespace)?.size).toBe(0);
    });

    it('says of what it has forgotten of them that it does not know', async () => {
      using node = channelNode(LEDGER);
      const session = new ReadableSession();
      publish(node, session);
      await recover(node, session);
      const of = (seq: number): unknown => ask(node, session, { seq }).sessions[0];
      expect(of(1)).toMatchObject({ outcome: 'recovered' });
      expect(of(HOLES - 1)).toMatchObject({ outcome: 'unknown', reason: 'forgotten' });
      // It says that it has them: what came before is forgotten with the subscribes of then.
      for (let n = 0; n < MAX_EPISODES; n += 1) await recover(node, session, HOLES);
      expect(of(1)).toMatchObject({ outcome: 'unknown', reason: 'forgotten' });
    });
  });

  it('says of a life of the channel that it does not know that it does not know', async () => {
    using node = channelNode(LEDGER);
    const session = await node.join();
    node.broker.send();
    expect(ask(node, session, { seq: 1, epoch: 'zzz' }).sessions).toMatchObject([
      { outcome: 'unknown', reason: 'forgotten' },
    ]);
  });

  it('says of what was delivered in a former life, and is forgotten, that it does not know', async () => {
    using node = channelNode('history: { size: 100, age: 1h }, ledger: { size: 2, age: 1h }');
    const session = await node.join();
    const { epoch } = node.broker;
    for (let n = 0; n < 3; n += 1) node.broker.send();
    node.broker.beginNewLife();
    node.broker.append();
    node.broker.interrupt();
    await expect.poll(() => session.got.length).toBe(5);
    for (const seq of [1, 3, 4])
      expect(ask(node, session, { seq, epoch }).sessions).toMatchObject([{ outcome: 'unknown', reason: 'forgotten' }]);
  });

  it('says of what is on its way that it has not arrived, and of what was never published just that', async () => {
    using node = channelNode(LEDGER);
    const session = await node.join();
    const gone = await node.join(new ReadableSession('gone'));
    node.leave(gone);
    node.broker.send();
    node.broker.append();
    const of = (asked: ReadableSession, seq: number): unknown => ask(node, asked, { seq }).sessions[0]?.outcome;
    expect([1, 2, 3].map((seq) => of(session, seq))).toEqual(['delivered', 'not_arrived', 'never_published']);
    expect(of(gone, 3)).toBe('never_published');
  });

  it('tells of a publication that no codec can write that its loss was announced', async () => {
    using node = channelNode(LEDGER);
    const session = await node.join();
    const cycle: unknown[] = [];
    cycle.push(cycle);
    node.broker.send({ data: cycle });
    expect(ask(node, session, { seq: 1 }).sessions).toMatchObject([
      { outcome: 'gap_announced', gap: { from: 1, to: 1 } },
    ]);
  });

  it('tells of one that had expired when it came', async () => {
    using node = channelNode(LEDGER);
    const session = await node.join();
    node.broker.send({ expiresAt: Date.now() - 1 });
    expect(ask(node, session, { seq: 1 }).sessions).toMatchObject([{ outcome: 'dropped', reason: 'expired' }]);
  });

  it('tells of one that waits behind a recovery, and that the client left before it was told', async () => {
    using node = channelNode(LEDGER);
    const session = new ReadableSession();
    const { goLive } = await node.subscribe(session);
    node.broker.send();
    expect(ask(node, session, { seq: 1 }).sessions).toMatchObject([{ outcome: 'waiting', reason: 'recovery' }]);
    goLive();
    expect(ask(node, session, { seq: 1 }).sessions).toMatchObject([{ outcome: 'delivered' }]);
    const hasty = new ReadableSession('hasty');
    await node.subscribe(hasty);
    node.broker.send();
    node.leave(hasty);
    expect(ask(node, hasty, { seq: 2 }).sessions).toMatchObject([{ outcome: 'dropped', reason: 'closed' }]);
  });

  it('knows the same seq of two lives of a channel apart', async () => {
    using node = channelNode(LEDGER);
    const session = await node.join();
    for (let n = 0; n < 3; n += 1) node.broker.send();
    node.broker.beginNewLife();
    node.broker.append();
    node.broker.interrupt();
    await expect.poll(() => session.got.length).toBe(5);
    const of = (seq: number, epoch: string): unknown => ask(node, session, { seq, epoch }).sessions[0]?.outcome;
    expect([of(1, 'e1'), of(3, 'e1'), of(3, 'e2')]).toEqual(['delivered', 'delivered', 'never_published']);
    // What was there of the new life is brought; what may have been is announced.
    expect(of(1, 'e2')).toBe('delivered');
  });

  it('remembers a bounded number of subscribes of one session, and says so of those before', async () => {
    using node = channelNode(LEDGER);
    const session = new ReadableSession();
    for (let n = 0; n < MAX_EPISODES + 2; n += 1) {
      node.broker.append();
      (await node.subscribe(session)).goLive();
    }
    const [account] = ask(node, session, { seq: 1 }).sessions;
    expect(account).toMatchObject({ outcome: 'unknown', reason: 'forgotten' });
    expect(account?.subscribes.length).toBeLessThanOrEqual(10);
  });

  it('writes nothing down where the namespace has none', async () => {
    using node = channelNode();
    const session = await node.join();
    node.broker.send();
    node.leave(session);
    expect([node.ledgers.areKept, node.ledgers.size]).toEqual([false, 0]);
    expect(node.events.listenerCount('dropped')).toBe(0);
  });
});
