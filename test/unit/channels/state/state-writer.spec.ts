import { describe, expect, it } from 'vitest';
import { parseNamespaces } from '../../../../config/namespaces.js';
import { channelNamed, type Channel } from '../../../../src/channels/channel.js';
import { NamespaceCounts } from '../../../../src/channels/namespace-counts.js';
import { StateCounts } from '../../../../src/channels/state/state-counts.js';
import type { StateOrder } from '../../../../src/channels/state/state-order.js';
import { MAX_KNOWN_BYTES, StateTick } from '../../../../src/channels/state/state-tick.js';
import { StateWriter } from '../../../../src/channels/state/state-writer.js';
import { MemoryBroker } from '../../../../src/cluster/memory/memory-broker.js';
import { MemoryStateStore } from '../../../../src/cluster/memory/memory-state-store.js';
import type { StateStore } from '../../../../src/cluster/ports/state-store.js';

function channelWith(state: string): Channel {
  const options = `subscribe: anyone, history: { size: 9, age: 1h }, state: ${state}`;
  return channelNamed('log:a', parseNamespaces(`namespaces: { log: { ${options} } }`));
}

function writerOn(store: StateStore): StateWriter {
  const namespaces = parseNamespaces('namespaces: {}');
  const settings = { namespaces, maxPerSession: 0, presenceRate: 0, maxPresenceMembers: 0 };
  return new StateWriter(store, new StateCounts(), new NamespaceCounts(settings));
}

const set = (key: string, patch: unknown): StateOrder => ({ key, what: 'set', patch });

async function codesOf(changes: readonly Promise<unknown>[]): Promise<readonly unknown[]> {
  const settled = await Promise.allSettled(changes);
  return settled.map((result) => (result.status === 'rejected' ? (result.reason as { code: unknown }).code : 'done'));
}

describe('changes of one tick without memory for all of them', () => {
  it('are made as far as there is room: only the values that would grow beyond it are refused', async () => {
    const broker = new MemoryBroker();
    const store = new MemoryStateStore(broker, 20_000);
    const writer = writerOn(store);
    const channel = channelWith('{ tick: 1ms, ttl: never }');
    const text = 'x'.repeat(8_000);
    await writer.carryOut(channel, set('a', { text }));
    await writer.carryOut(channel, set('b', { text, n: 0 }));
    const changes = [
      set('a', { more: text }),
      set('b', { n: 1 }),
      set('c', { small: true }),
      set('d', { text }),
      { key: 'absent', what: 'remove' as const },
    ];
    const codes = await codesOf(changes.map((order) => writer.carryOut(channel, order)));
    expect(codes).toEqual(['STATE_LIMIT_REACHED', 'done', 'done', 'STATE_LIMIT_REACHED', 'done']);
    const { entries } = await store.page(channel.name);
    expect(Object.fromEntries(entries.map(({ key, value }) => [key, value]))).toEqual({
      a: { text },
      b: { text, n: 1 },
      c: { small: true },
    });
    store.close();
    await broker.close();
  });
});

describe('a flood of new keys in a channel at its max_keys', () => {
  it('gets STATE_LIMIT_REACHED for each, keeps nothing of it, and leaves the keys that are there to change', async () => {
    const broker = new MemoryBroker();
    const store = new MemoryStateStore(broker);
    const writer = writerOn(store);
    const channel = channelWith('{ tick: 1ms, ttl: never, max_keys: 100 }');
    const keys = Array.from({ length: 100 }, (_, n) => `key ${n}`);
    await Promise.all(keys.map((key) => writer.carryOut(channel, set(key, { n: 0 }))));
    for (let round = 0; round < 3; round += 1) {
      const flood = Array.from({ length: 2_000 }, (_, n) => set(`new ${round} ${n}`, { text: 'x'.repeat(100) }));
      const changes = [...flood, set('key 7', { round })].map((order) => writer.carryOut(channel, order));
      const codes = await codesOf(changes);
      expect([new Set(codes.slice(0, -1)), codes.at(-1)]).toEqual([new Set(['STATE_LIMIT_REACHED']), 'done']);
      expect(writer['waiting']).toBe(0);
    }
    const { entries, next } = await store.page(channel.name);
    expect([entries.map(({ key }) => key).toSorted(), next]).toEqual([keys.toSorted(), undefined]);
    expect(entries.find(({ key }) => key === 'key 7')?.value).toEqual({ n: 0, round: 2 });
    store.close();
    await broker.close();
  });
});

describe('changes that wait for the store', () => {
  it('are refused by what waits, and not by their own size: a small one does not overtake a large one', async () => {
    const store = { commit: () => new Promise(() => undefined) } as unknown as StateStore;
    const writer = writerOn(store);
    const channel = channelWith('true');
    const large = 'x'.repeat(40_000_000);
    const refused: string[] = [];
    const changes = ['a', 'b', 'c'].map((key) =>
      writer.carryOut(channel, set(key, key === 'c' ? 1 : large)).catch(() => refused.push(key)),
    );
    await Promise.race(changes);
    expect(refused).toEqual(['c']);
    writer.onApplicationShutdown();
  });
});

describe('what a node remembers of the values that it has changed', () => {
  const known = (key: string, bytes: number) => ({ key, entry: undefined, bytes });

  it('has a bound in bytes, over all channels', () => {
    const ofNode = { total: 0 };
    const [one, other] = [new StateTick(channelWith('true'), ofNode), new StateTick(channelWith('true'), ofNode)];
    one.learn('e', [known('a', MAX_KNOWN_BYTES / 2), known('a', MAX_KNOWN_BYTES / 2)]);
    one.tidy();
    expect([one.epoch, ofNode.total]).toEqual(['e', MAX_KNOWN_BYTES / 2]);
    other.learn('e', [known('a', MAX_KNOWN_BYTES)]);
    other.tidy();
    expect([one.epoch, other.epoch, ofNode.total]).toEqual(['e', undefined, MAX_KNOWN_BYTES / 2]);
    one.learn('another', [known('b', 1)]);
    expect(ofNode.total).toBe(1);
    one.forget();
    expect(ofNode.total).toBe(0);
  });

  it('takes few orders at once where values may be large, however small the patches are', () => {
    const tick = new StateTick(channelWith('{ value_bytes: 1048576 }'));
    for (let n = 0; n < 1_000; n += 1) {
      tick.add({ order: set(`key ${n}`, 1), bytes: 10, resolve: () => {}, reject: () => {} });
    }
    expect(tick.take()).toHaveLength(64);
    expect(new StateTick(channelWith('true')).isEmpty).toBe(true);
  });
});
