import { afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from 'vitest';
import type { Session } from '../../../../src/sessions/session.js';
import { SLOW_BYTES } from '../../../../src/channels/state/state-subscription.js';
import { ReadableSession } from '../node.js';
import { Engine, stateNode, type StateNode } from './state-node.js';

const MINUTES = (count: number): number => count * 60_000;

describe('the keys of a channel whose state has a lifetime', () => {
  let engine: Engine;
  let node: StateNode;
  let asked: MockInstance<Engine['store']['expired']>;

  beforeEach(() => {
    engine = new Engine();
    node = stateNode(engine, 'history: { size: 3, age: 1h }, state: { tick: 1ms, ttl: 100s }');
    asked = vi.spyOn(engine.store, 'expired');
  });

  afterEach(async () => {
    node[Symbol.dispose]();
    await engine[Symbol.asyncDispose]();
  });

  async function join(name: string): Promise<ReadableSession> {
    const session = new ReadableSession();
    const channel = node.channels.named(name);
    (await node.channels.subscribe(session as unknown as Session, channel)).goLive();
    await node.channels.state(channel).set('key', 1);
    await expect.poll(() => session.got.length).toBe(1);
    return session;
  }

  /** What is asked of the store in a sweep that comes so much later. */
  async function asksAfter(ms: number): Promise<number> {
    asked.mockClear();
    await node.sweeper.sweep(performance.now() + ms);
    return asked.mock.calls.length;
  }

  it('are looked at soon after it is opened, and ten times in their life', async () => {
    await join('log:1');
    expect(await asksAfter(0)).toBe(0);
    expect([await asksAfter(1_500), await asksAfter(8_000), await asksAfter(12_000)]).toEqual([1, 0, 1]);
  });

  it('are not looked at where there are none, or nobody is there', async () => {
    const session = await join('log:1');
    await node.channels.state(node.channels.named('log:1')).remove('key');
    await expect.poll(() => session.got.length).toBe(2);
    expect(await asksAfter(1_500)).toBe(0);
    await join('log:2');
    node.events.emit('closed', session as unknown as Session, 1000, '');
    node.hub.tick(performance.now() + MINUTES(1));
    expect(await asksAfter(MINUTES(1))).toBe(1);
    expect(asked.mock.calls.map(([name]) => name)).toEqual(['log:2']);
  });

  it('are not held once the channel is forgotten', async () => {
    const session = await join('log:1');
    node.events.emit('closed', session as unknown as Session, 1000, '');
    node.hub.tick(performance.now() + MINUTES(1));
    const queues = Reflect.get(node.sweeper, 'queues') as Map<number, Map<unknown, number>>;
    expect([...queues.values()].map(({ size }) => size)).toEqual([0]);
  });

  it('are looked at again a second after the store could not be reached, and others meanwhile', async () => {
    await join('log:1');
    await join('log:2');
    asked.mockRejectedValueOnce(new Error('away'));
    await node.sweeper.sweep(performance.now() + 1_500);
    expect(asked.mock.calls.map(([name]) => name)).toEqual(['log:1', 'log:2']);
    expect([await asksAfter(2_000), await asksAfter(3_000)]).toEqual([0, 1]);
    expect(asked.mock.calls.map(([name]) => name)).toEqual(['log:1']);
  });
});

describe('a slow reader of state', () => {
  it('gets what it is owed with the next sweep after it keeps up, and nothing once it has left', async () => {
    await using engine = new Engine();
    using node = stateNode(engine, 'delivery: latest, history: { size: 3, age: 1h }, state: { tick: 1ms, ttl: never }');
    const channel = node.channels.named('log:1');
    const sessions = [new ReadableSession(), new ReadableSession()] as const;
    for (const session of sessions) {
      (await node.channels.subscribe(session as unknown as Session, channel)).goLive();
    }
    await node.channels.state(channel).set('key', 1);
    await expect.poll(() => sessions.map(({ got }) => got.length)).toEqual([1, 1]);
    for (const session of sessions) session.connection.waitingBytes = SLOW_BYTES;
    for (const value of [2, 3]) await node.channels.state(channel).set('key', value);
    await expect.poll(() => node.stateCounts.conflated).toBe(4);
    const [stays, leaves] = sessions;
    node.events.emit('closed', leaves as unknown as Session, 1000, '');
    await node.sweeper.sweep(performance.now());
    expect(stays.got.length).toBe(1);
    for (const session of sessions) session.connection.waitingBytes = 0;
    await node.sweeper.sweep(performance.now());
    await node.sweeper.sweep(performance.now());
    expect(stays.got.slice(1).map(({ data }) => data)).toEqual([{ set: { key: 3 }, del: ['key'] }]);
    expect(leaves.got.length).toBe(1);
  });
});
