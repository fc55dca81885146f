import { setImmediate as settled } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { MAX_ARRIVALS } from '../../../src/channels/local-channel.js';
import { channelNode, ReadableSession } from './node.js';

const BUSY = expect.objectContaining({ code: 'SERVER_BUSY' }) as Error;

describe('a channel on a node', () => {
  it('delivers what follows, and drops what came before', async () => {
    using node = channelNode();
    const alice = await node.join();
    const first = node.broker.send();
    const second = node.broker.send();
    for (const again of [second, first, second]) node.broker.carry(again);
    node.broker.send();
    expect(alice.view).toEqual([1, 2, 3]);
    expect(alice.got[0]).toMatchObject({ type: 'message', channel: 'log:a', epoch: 'e1', seq: 1, data: 'e1/1' });
  });

  it('encodes a publication once for all, also for those whom it reaches behind their recovery', async () => {
    using node = channelNode();
    for (let n = 0; n < 10; n += 1) await node.join();
    const recovering = await Promise.all(Array.from({ length: 10 }, () => node.subscribe(new ReadableSession())));
    const before = node.encoded();
    node.broker.send();
    recovering.forEach(({ goLive }) => goLive());
    expect(node.encoded() - before).toBe(1);
  });

  it('reports each delivery once', async () => {
    using node = channelNode();
    let sent = 0;
    node.events.on('sent', (_type, _bytes, sessions) => (sent += sessions));
    await node.join();
    const { goLive } = await node.subscribe(new ReadableSession());
    node.broker.send();
    goLive();
    expect(sent).toBe(2);
  });
});

describe('a loss', () => {
  it('is repaired from the history before anything else is delivered', async () => {
    using node = channelNode();
    const alice = await node.join();
    node.broker.send();
    node.broker.append();
    node.broker.append();
    node.broker.send();
    expect(alice.view).toEqual([1]);
    await settled();
    node.broker.send();
    expect(alice.view).toEqual([1, 2, 3, 4, 5]);
  });

  it('is announced where the history has forgotten it', async () => {
    using node = channelNode();
    const alice = await node.join();
    node.broker.send();
    for (let n = 0; n < 5; n += 1) node.broker.append();
    node.broker.keep(2);
    node.broker.interrupt();
    await settled();
    node.broker.send();
    expect(alice.view).toEqual([1, { from: 2, to: 4 }, 5, 6, 7]);
    expect(alice.got[1]).toEqual({ type: 'gap', channel: 'log:a', epoch: 'e1', data: { from: 2, to: 4 } });
  });

  it('of everything that is newer is announced as well', async () => {
    using node = channelNode();
    const alice = await node.join();
    for (let n = 0; n < 5; n += 1) node.broker.append();
    node.broker.keep(0);
    node.broker.interrupt();
    await settled();
    expect(alice.view).toEqual([{ from: 1, to: 5 }]);
  });

  it('is looked for after an interruption, though nothing else arrives', async () => {
    using node = channelNode();
    const alice = await node.join();
    node.broker.append();
    node.broker.interrupt();
    await settled();
    expect(alice.view).toEqual([1]);
  });

  it('is looked for again where the interruption came while the history was read', async () => {
    using node = channelNode();
    const alice = await node.join();
    const door = node.broker.holdHistory();
    node.broker.interrupt();
    await settled();
    node.broker.append();
    node.broker.interrupt();
    door.open();
    await settled();
    expect(alice.view).toEqual([1]);
  });

  it('is no reason to ask twice where publications arrive while the history is read', async () => {
    using node = channelNode();
    const alice = await node.join();
    node.broker.append();
    const door = node.broker.holdHistory();
    node.broker.interrupt();
    await settled();
    for (let n = 0; n < 3; n += 1) node.broker.send();
    const calls = node.broker.historyCalls;
    door.open();
    await settled();
    expect(alice.view).toEqual([1, 2, 3, 4]);
    expect(node.broker.historyCalls).toBe(calls);
  });

  it('does not pile up publications without bound while the history is read', async () => {
    using node = channelNode();
    const alice = await node.join();
    node.broker.append();
    const door = node.broker.holdHistory();
    node.broker.interrupt();
    await settled();
    for (let n = 0; n < MAX_ARRIVALS + 500; n += 1) node.broker.send();
    door.open();
    await settled();
    expect(alice.view).toEqual(Array.from({ length: MAX_ARRIVALS + 501 }, (_, n) => n + 1));
  });
});

describe('a new epoch', () => {
  it('is announced: nobody can say what is lost of the old one', async () => {
    using node = channelNode();
    const alice = await node.join();
    node.broker.send();
    node.broker.beginNewLife();
    node.broker.append();
    node.broker.send();
    await settled();
    expect(alice.view).toEqual([1, { from: null, to: 0 }, 1, 2]);
    expect(alice.got.map(({ epoch }) => epoch)).toEqual(['e1', 'e2', 'e2', 'e2']);
  });

  it('is found by a check, and announced though nothing is in it', async () => {
    using node = channelNode();
    const alice = await node.join();
    node.broker.beginNewLife();
    node.broker.interrupt();
    await settled();
    expect(alice.got).toEqual([{ type: 'gap', channel: 'log:a', epoch: 'e2', data: { from: null, to: 0 } }]);
  });

  it('is not left again for what comes late of the old one', async () => {
    using node = channelNode();
    const alice = await node.join();
    const late = node.broker.append();
    node.broker.beginNewLife();
    node.broker.send();
    await settled();
    node.broker.carry(late);
    await settled();
    const calls = node.broker.historyCalls;
    await settled();
    node.broker.send();
    expect(alice.view).toEqual([{ from: null, to: 0 }, 1, 2]);
    expect(node.broker.historyCalls).toBe(calls);
  });

  it('is what a history counts as that went back', async () => {
    using node = channelNode();
    const alice = await node.join();
    for (let n = 0; n < 3; n += 1) node.broker.send();
    node.broker.publications.pop();
    node.broker.seq = 2;
    node.broker.interrupt();
    await settled();
    node.broker.send();
    expect(alice.view).toEqual([1, 2, 3, { from: null, to: 2 }, 3]);
  });
});

describe('a broker that is away', () => {
  it('stops the delivery of a channel in doubt, and nothing is lost when it is back', async () => {
    using node = channelNode();
    const alice = await node.join();
    node.broker.append();
    node.broker.isAway = true;
    node.broker.interrupt();
    await settled();
    for (let n = 0; n < 5; n += 1) node.broker.send();
    expect(alice.view).toEqual([]);
    node.broker.isAway = false;
    node.hub.tick(performance.now());
    await settled();
    node.broker.send();
    expect(alice.view).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('is asked again with each tick, once, for as long as somebody listens', async () => {
    using node = channelNode();
    const alice = await node.join();
    node.broker.isAway = true;
    node.broker.interrupt();
    await settled();
    const calls = node.broker.historyCalls;
    for (let n = 0; n < 3; n += 1) {
      node.hub.tick(performance.now());
      await settled();
    }
    expect(node.broker.historyCalls).toBe(calls + 3);
    node.leave(alice);
    node.hub.tick(performance.now() + 60_000);
    await settled();
    expect([node.hub.size, node.broker.historyCalls, node.broker.subscribed.size]).toEqual([0, calls + 3, 0]);
  });

  it('while a channel is opened leaves nothing of it, and the next subscriber opens it anew', async () => {
    using node = channelNode();
    node.broker.isAway = true;
    await expect(node.join()).rejects.toEqual(BUSY);
    expect(node.hub.size).toBe(0);
    node.broker.isAway = false;
    const alice = await node.join();
    node.broker.send();
    expect(alice.view).toEqual([1]);
  });

  it('cannot help a recovery, and leaves nothing of the subscription', async () => {
    using node = channelNode('history: { size: 100, age: 1h }, presence: true');
    await node.join();
    node.broker.send();
    node.broker.isAway = true;
    const bob = new ReadableSession('bob');
    await expect(node.subscribe(bob, { since: { epoch: 'e1', seq: 0 } })).rejects.toEqual(BUSY);
    node.broker.send();
    expect(bob.got).toEqual([]);
    expect(await node.store.members(node.channel.name)).toHaveLength(1);
  });

  it('is not needed by those who missed nothing', async () => {
    using node = channelNode();
    await node.join();
    node.broker.send();
    node.broker.isAway = true;
    const back = await node.subscribe(new ReadableSession(), { since: { epoch: 'e1', seq: 1 } });
    expect(back).toMatchObject({ recovered: true, publications: [], seq: 1 });
  });
});

describe('a publication that no codec can write', () => {
  it('is announced as lost, and what follows is delivered', async () => {
    using node = channelNode();
    let unreadable = 0;
    node.events.on('shed', (reason, frames) => (unreadable += reason === 'unreadable' ? frames : 0));
    const alice = await node.join();
    const cycle: unknown[] = [];
    cycle.push(cycle);
    node.broker.send({ data: cycle });
    node.broker.send();
    expect(alice.view).toEqual([{ from: 1, to: 1 }, 2]);
    expect(unreadable).toBe(1);
  });
});
