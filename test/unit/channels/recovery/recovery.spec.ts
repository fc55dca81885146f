import { setImmediate as settled } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { continuation } from '../../../../src/channels/recovery/recovery.js';
import { MAX_BEHIND_RECOVERY } from '../../../../src/channels/subscription.js';
import type { Publication } from '../../../../src/cluster/ports/broker.js';
import { channelNode, type ChannelNode, ReadableSession } from '../node.js';

function publication(seq: number, others: Partial<Publication> = {}): Publication {
  return {
    seq,
    ts: 1,
    bytes: 8,
    data: seq,
    from: undefined,
    excludeSession: undefined,
    expiresAt: undefined,
    ...others,
  };
}

/** Subscribes a client that recovers, and stays so until the door is opened. */
async function openingOf(node: ChannelNode) {
  const session = new ReadableSession();
  const door = node.broker.holdHistory();
  const opening = node.subscribe(session, { since: { epoch: 'e1', seq: 0 } });
  await expect.poll(() => node.channels.isSubscribed(session as never, node.channel)).toBe(true);
  return { session, opening, door };
}

describe('what a history means for a client that stood at a position', () => {
  // Stood at, top, what the history holds → recovered, brought, gap.
  const TABLE = [
    ['nothing new', 'e', 5, 5, [], true, [], undefined],
    ['all that is new', 'e', 2, 4, [3, 4], true, [3, 4], undefined],
    ['from the very beginning', 'e', 0, 2, [1, 2], true, [1, 2], undefined],
    ['some is too old', 'e', 2, 6, [5, 6], false, [5, 6], { from: 3, to: 4 }],
    ['all is too old', 'e', 2, 6, [], false, [], { from: 3, to: 6 }],
    ['another epoch', 'x', 5, 2, [1, 2], false, [1, 2], { from: null, to: 0 }],
    ['another epoch that has forgotten', 'x', 5, 9, [8, 9], false, [8, 9], { from: null, to: 7 }],
    ['another epoch, empty', 'x', 5, 0, [], false, [], { from: null, to: 0 }],
    ['a position of the future', 'e', 9, 2, [1, 2], false, [1, 2], { from: null, to: 0 }],
  ] as const;

  it.each(TABLE)('%s', (...row) => {
    const [, epoch, seq, top, held, recovered, brought, gap] = row;
    const history = { top: { epoch: 'e', seq: top }, publications: held.map((n) => publication(n)) };
    const { publications, ...state } = continuation({ epoch, seq }, history);
    expect(publications.map((shown) => shown.seq)).toEqual(brought);
    expect(state).toEqual({ epoch: 'e', seq: top, recovered, ...(gap && { gap }) });
  });

  it('leaves out what has expired or is not wanted, which is no gap', () => {
    const held = [
      publication(1),
      publication(2, { expiresAt: Date.now() - 1 }),
      publication(3, { excludeSession: 's' }),
    ];
    const history = { top: { epoch: 'e', seq: 3 }, publications: held };
    const state = continuation({ epoch: 'e', seq: 0 }, history, ({ excludeSession }) => excludeSession !== 's');
    expect(state).toMatchObject({ recovered: true, publications: [{ seq: 1 }] });
    expect(state.publications).toHaveLength(1);
  });
});

describe('while a client recovers', () => {
  it('live publications wait, and follow without what the recovery has brought', async () => {
    using node = channelNode();
    node.broker.append();
    const session = new ReadableSession();
    const door = node.broker.holdHistory();
    const opening = node.subscribe(session, { since: { epoch: 'e1', seq: 0 } });
    node.broker.send();
    door.open();
    const { publications, goLive } = await opening;
    node.broker.send();
    expect(publications.map(({ seq }) => seq)).toEqual([1, 2]);
    expect(session.got).toEqual([]);
    goLive();
    node.broker.send();
    expect(session.view).toEqual([3, 4]);
  });

  it('what the broker brings late of that is not delivered twice', async () => {
    using node = channelNode();
    await node.join();
    const late = [node.broker.append(), node.broker.append()];
    const session = new ReadableSession();
    const { publications, goLive } = await node.subscribe(session, { since: { epoch: 'e0', seq: 0 } });
    goLive();
    late.forEach((carried) => node.broker.carry(carried));
    node.broker.send();
    expect(publications.map(({ seq }) => seq)).toEqual([1, 2]);
    expect(session.view).toEqual([3]);
  });

  it('a gap that is announced reaches it too, without what the recovery has brought', async () => {
    using node = channelNode();
    const other = await node.join();
    for (let n = 0; n < 3; n += 1) node.broker.append();
    const session = new ReadableSession();
    const { goLive } = await node.subscribe(session, { since: { epoch: 'e1', seq: 1 } });
    for (let n = 0; n < 3; n += 1) node.broker.append();
    node.broker.keep(1);
    node.broker.interrupt();
    await expect.poll(() => other.view).toEqual([{ from: 1, to: 5 }, 6]);
    goLive();
    expect(session.view).toEqual([{ from: 4, to: 5 }, 6]);
  });

  it('a new epoch that begins is announced behind its recovery', async () => {
    using node = channelNode();
    node.broker.append();
    const session = new ReadableSession();
    const { epoch, goLive } = await node.subscribe(session, { since: { epoch: 'e1', seq: 0 } });
    node.broker.beginNewLife();
    node.broker.send();
    await expect.poll(() => node.broker.historyCalls).toBeGreaterThan(2);
    goLive();
    await expect.poll(() => [epoch, session.view]).toEqual(['e1', [{ from: null, to: 0 }, 1]]);
  });

  it('and the channel still stands in an older epoch, the channel catches up first', async () => {
    using node = channelNode();
    const other = await node.join();
    node.broker.send();
    node.broker.beginNewLife();
    node.broker.append();
    const session = new ReadableSession();
    const { epoch, gap, publications, goLive } = await node.subscribe(session, { since: { epoch: 'e1', seq: 0 } });
    goLive();
    node.broker.send();
    expect([epoch, gap, publications.map(({ seq }) => seq)]).toEqual(['e2', { from: null, to: 0 }, [1]]);
    expect(session.view).toEqual([2]);
    expect(other.view).toEqual([1, { from: null, to: 0 }, 1, 2]);
  });

  it('for too long, it is cut off instead of piling up what waits', async () => {
    using node = channelNode();
    const session = new ReadableSession();
    const { goLive } = await node.subscribe(session);
    for (let n = 0; n < MAX_BEHIND_RECOVERY + 10; n += 1) node.broker.send();
    expect(session.closedAs).toBe('slow_consumer');
    goLive();
    expect(session.got).toEqual([]);
  });

  it('and leaves, nothing reaches it', async () => {
    using node = channelNode();
    const session = new ReadableSession();
    const { goLive } = await node.subscribe(session);
    node.broker.send();
    await node.channels.unsubscribe(session as never, node.channel);
    goLive();
    expect(session.got).toEqual([]);
  });

  it('and is unsubscribed meanwhile, it is told, and not present', async () => {
    using node = channelNode('presence: true, history: { size: 10, age: 1m }');
    node.broker.append();
    await node.join();
    const { session, opening, door } = await openingOf(node);
    await node.channels.unsubscribe(session as never, node.channel);
    door.open();
    await expect(opening).rejects.toMatchObject({ code: 'NOT_SUBSCRIBED' });
    expect(await node.store.members(node.channel.name)).toHaveLength(1);
  });

  it('and closes meanwhile, nothing of it stays', async () => {
    using node = channelNode('presence: true, history: { size: 10, age: 1m }');
    node.broker.append();
    await node.join();
    const { session, opening, door } = await openingOf(node);
    node.leave(session);
    door.open();
    await expect(opening).rejects.toMatchObject({ code: 'NOT_SUBSCRIBED' });
    expect(await node.store.members(node.channel.name)).toHaveLength(1);
    await expect(node.subscribe(session)).rejects.toMatchObject({ code: 'SERVER_BUSY' });
  });
});

describe('many who come back at one time', () => {
  it('share the reads of the history, and get each what they missed', async () => {
    using node = channelNode();
    await node.join();
    for (let n = 0; n < 20; n += 1) node.broker.send();
    const before = node.broker.historyCalls;
    const door = node.broker.holdHistory();
    const positions = Array.from({ length: 100 }, (_, index) => ({ epoch: 'e1', seq: index % 20 }));
    const recovering = positions.map((since) => node.subscribe(new ReadableSession(), { since }));
    await settled();
    node.broker.send();
    door.open();
    const states = await Promise.all(recovering);
    expect(node.broker.historyCalls - before).toBeLessThan(4);
    for (const [index, { recovered, publications, seq = 0 }] of states.entries()) {
      const missed = publications.map(({ seq: place }) => place);
      expect(recovered).toBe(true);
      expect(missed).toEqual(Array.from({ length: seq - (index % 20) }, (_, n) => (index % 20) + 1 + n));
    }
  });
});
