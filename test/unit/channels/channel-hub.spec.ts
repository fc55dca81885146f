import { setImmediate as settled } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { LINGER_MS } from '../../../src/channels/channel-hub.js';
import { MAX_REPAIRS } from '../../../src/channels/recovery/repair-queue.js';
import { channelNode, NAME, ReadableSession } from './node.js';

const later = (): number => performance.now() + LINGER_MS + 1;

describe('a channel that nobody on the node wants any more', () => {
  it('stays at the broker for a while, for reconnects come in waves', async () => {
    using node = channelNode();
    const alice = await node.join();
    node.leave(alice);
    node.hub.tick(performance.now());
    expect([node.hub.size, [...node.broker.subscribed]]).toEqual([1, [NAME]]);
    node.hub.tick(later());
    expect([node.hub.size, [...node.broker.subscribed]]).toEqual([0, []]);
  });

  it('is wanted again as soon as somebody comes', async () => {
    using node = channelNode();
    node.leave(await node.join());
    const bob = await node.join();
    node.hub.tick(later());
    node.broker.send();
    expect(bob.view).toEqual([1]);
  });

  it('is one that somebody asked for and did not get', async () => {
    using node = channelNode();
    const session = new ReadableSession();
    session.connection.isServed = false;
    await expect(node.subscribe(session)).rejects.toMatchObject({ code: 'SERVER_BUSY' });
    expect(node.hub.size).toBe(1);
    node.hub.tick(later());
    expect([node.hub.size, node.broker.subscribed.size]).toEqual([0, 0]);
  });

  it('is opened anew for those who waited for it longer than it lingers', async () => {
    using node = channelNode();
    const door = node.broker.holdHistory();
    const joining = node.join();
    await settled();
    node.hub.tick(later());
    door.open();
    const alice = await joining;
    node.broker.send();
    expect([alice.view, [...node.broker.subscribed]]).toEqual([[1], [NAME]]);
  });
});

describe('a publication that is lost on the way unnoticed', () => {
  it('is found by a look at the position, and brought', async () => {
    using node = channelNode();
    node.broker.checkEvery(1_000);
    const alice = await node.join();
    node.broker.send();
    node.broker.append();
    node.hub.tick(performance.now());
    await expect.poll(() => alice.view).toEqual([1, 2]);
  });

  it('has every channel looked at in its turn, and none twice before', async () => {
    using node = channelNode();
    node.broker.checkEvery(3_000);
    for (const name of ['log:1', 'log:2', 'log:3', 'log:4', 'log:5', 'log:6']) {
      const session = new ReadableSession();
      (await node.channels.subscribe(session as never, node.channels.named(name))).goLive();
    }
    const before = node.broker.historyCalls;
    const calls: number[] = [];
    for (let seconds = 1; seconds <= 3; seconds += 1) {
      node.hub.tick(performance.now());
      await settled();
      calls.push(node.broker.historyCalls - before);
    }
    expect(calls).toEqual([2, 4, 6]);
  });
});

describe('an interruption', () => {
  it('has channels checked a few at a time, all of them in the end', async () => {
    using node = channelNode();
    const names = Array.from({ length: 500 }, (_, n) => node.channels.named(`log:${n}`));
    for (const channel of names) {
      const session = new ReadableSession();
      (await node.channels.subscribe(session as never, channel)).goLive();
    }
    const before = node.broker.historyCalls;
    node.broker.mostAtOnce = 0;
    node.broker.interrupt();
    node.broker.interrupt();
    await settled();
    expect(node.broker.historyCalls - before).toBe(500);
    expect(node.broker.mostAtOnce).toBeLessThanOrEqual(MAX_REPAIRS);
  });

  it('means nothing to channels without history', async () => {
    using node = channelNode('publish: anyone');
    const alice = await node.join();
    node.broker.interrupt();
    node.broker.carry({ publication: { ...node.broker.append().publication, seq: 0 }, epoch: '' });
    expect([node.broker.historyCalls, alice.got.length]).toEqual([0, 1]);
  });
});
