import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChannelName } from '../../../../src/cluster/ports/broker.js';
import { BrokerNodeBus } from '../../../../src/cluster/bus/broker-node-bus.js';
import { ClusterEvents } from '../../../../src/cluster/ports/cluster-events.js';
import { LoneNodeBus } from '../../../../src/cluster/bus/lone-node-bus.js';
import { MAX_OPEN_QUESTIONS } from '../../../../src/cluster/bus/open-questions.js';
import { eventually } from '../../../support/eventually.js';
import { Ether, NamedRegistry, SharedBroker } from '../shared-broker.js';

interface Node {
  readonly bus: BrokerNodeBus;
  readonly broker: SharedBroker;
  readonly registry: NamedRegistry;
  readonly events: ClusterEvents;
  /** What was lost, one entry each. */
  readonly losses: string[];
  readonly crashes: string[];
}

let ether: Ether;
const nodes: Node[] = [];

function makeNode(nodeId: string, incarnation?: string): Node {
  const broker = new SharedBroker(ether);
  const registry = new NamedRegistry(nodeId, incarnation);
  const events = new ClusterEvents();
  const bus = new BrokerNodeBus({ broker, registry, events, isConnected: () => !ether.isAway });
  const losses: string[] = [];
  const crashes: string[] = [];
  events.on('lost', (what, count) => losses.push(...Array.from({ length: count }, () => what)));
  events.on('crashed', (where) => crashes.push(where));
  registry.knows('a', 'b', 'c');
  const node = { bus, broker, registry, events, losses, crashes };
  nodes.push(node);
  return node;
}

async function threeNodes(): Promise<[Node, Node, Node]> {
  const three: [Node, Node, Node] = [makeNode('a'), makeNode('b'), makeNode('c')];
  await Promise.all(three.map(({ bus }) => bus.start()));
  return three;
}

beforeEach(() => {
  ether = new Ether();
});

afterEach(() => {
  for (const { bus } of nodes.splice(0)) bus.close();
});

describe('what a node tells', () => {
  it('reaches all other nodes, and not itself', async () => {
    const [a, b, c] = await threeNodes();
    const heard: unknown[] = [];
    for (const [name, { bus }] of Object.entries({ a, b, c }))
      bus.handle('news', (payload, from) => heard.push([name, from, payload]));
    a.bus.tell('news', { n: 1 });
    await eventually('two nodes have heard', () => heard.length === 2);
    expect(heard).toEqual([
      ['b', 'a', { n: 1 }],
      ['c', 'a', { n: 1 }],
    ]);
  });

  it('reaches the nodes that are named, and nobody else', async () => {
    const [a, b, c] = await threeNodes();
    const heard: string[] = [];
    for (const [name, { bus }] of Object.entries({ b, c })) bus.handle('news', () => heard.push(name));
    a.bus.tell('news', null, ['c', 'a', 'c']);
    a.bus.tell('news', null);
    await eventually('three words have come', () => heard.length === 3);
    expect(heard).toEqual(['c', 'b', 'c']);
  });

  it('is heard once, though the broker brings it twice', async () => {
    const [a, b] = await threeNodes();
    ether.copies = 2;
    const heard: unknown[] = [];
    b.bus.handle('news', (payload) => heard.push(payload));
    a.bus.tell('news', 1);
    a.bus.tell('news', 2);
    await eventually('both have come', () => heard.includes(2));
    expect(heard).toEqual([1, 2]);
  });

  it('is lost and counted while the broker is away, and nothing is thrown', async () => {
    const [a] = await threeNodes();
    ether.isAway = true;
    a.bus.tell('news', 1);
    a.bus.tell('news', 1, ['b', 'c']);
    await eventually('the losses are counted', () => a.losses.length === 3);
    expect(a.losses).toEqual(['word', 'word', 'word']);
  });

  it('is heard by a node that could not subscribe at first', async () => {
    const a = makeNode('a');
    const b = makeNode('b');
    let rejoined = 0;
    b.events.on('rejoined', () => (rejoined += 1));
    await a.bus.start();
    ether.isAway = true;
    await b.bus.start();
    expect(rejoined).toBe(0);
    ether.isAway = false;
    const heard: unknown[] = [];
    b.bus.handle('news', (payload) => heard.push(payload));
    await eventually('it hears', () => {
      a.bus.tell('news', 1);
      return heard.length > 0;
    });
    expect(rejoined).toBe(1);
  });

  it('is ignored where it is of another version, or garbage', async () => {
    const [a, b] = await threeNodes();
    const heard: unknown[] = [];
    b.bus.handle('news', (payload) => heard.push(payload));
    const head = { v: 1, node: 'a', life: 'a-1', id: '7', kind: 'news' };
    for (const data of [null, 1, 'x', [], {}, { ...head, v: 2 }, { ...head, kind: 5 }, { ...head, id: 5 }, { v: 1 }]) {
      const draft = { data, from: undefined, excludeSession: undefined, expiresAt: undefined };
      await a.broker.publish('@nodes' as ChannelName, draft);
    }
    a.bus.tell('news', 'good');
    await eventually('the good one has come', () => heard.length > 0);
    expect(heard).toEqual(['good']);
    expect(b.crashes).toEqual([]);
  });

  it('travels where no client can name a channel', async () => {
    const [a] = await threeNodes();
    a.bus.tell('news', 1);
    a.bus.tell('news', 1, ['b']);
    expect(ether.published.map(({ channel }) => channel)).toEqual(['@nodes', '@node:b']);
  });
});

describe('a question', () => {
  it('is answered by every other node', async () => {
    const [a, b, c] = await threeNodes();
    for (const [name, { bus }] of Object.entries({ a, b, c }))
      bus.handle('sum', async (payload) => `${name}:${payload as string}`);
    const { received, missing } = await a.bus.ask('sum', 'x');
    expect(Object.fromEntries(received)).toEqual({ b: 'b:x', c: 'c:x' });
    expect(missing).toEqual([]);
  });

  it('goes to the nodes that are named, without this one', async () => {
    const [a, b, c] = await threeNodes();
    for (const { bus } of [b, c]) bus.handle('sum', () => undefined);
    const { received, missing } = await a.bus.ask('sum', 1, { nodes: ['a', 'c'] });
    expect([[...received.keys()], missing]).toEqual([['c'], []]);
    expect(await a.bus.ask('sum', 1, { nodes: [] })).toEqual({ received: new Map(), missing: [] });
  });

  it('names as missing who is silent, who throws and who knows nothing of it', async () => {
    const [a, b, c] = await threeNodes();
    a.registry.knows('a', 'b', 'c', 'gone');
    b.bus.handle('sum', () => {
      throw new Error('cannot');
    });
    const { received, missing } = await a.bus.ask('sum', 1, { timeoutMs: 100 });
    expect([received.size, [...missing].sort()]).toEqual([0, ['b', 'c', 'gone']]);
    expect(b.crashes).toEqual(['the node bus handler of sum']);
    expect(c.crashes).toEqual([]);
    expect(a.losses).toEqual(['answer', 'answer', 'answer']);
  });

  it('is not waited for while the broker is away', async () => {
    const [a] = await threeNodes();
    ether.isAway = true;
    expect((await a.bus.ask('sum', 1, { timeoutMs: 600_000 })).missing).toEqual(['b', 'c']);
    const { missing } = await a.bus.ask('sum', 1, { nodes: ['b'], timeoutMs: 600_000 });
    expect(missing).toEqual(['b']);
    expect(a.losses.filter((what) => what === 'question')).toHaveLength(2);
  });

  it('is one of ten thousand at most: more are not asked', async () => {
    const [a] = await threeNodes();
    const open = Array.from({ length: MAX_OPEN_QUESTIONS }, () => a.bus.ask('nobody-answers', 1, { nodes: ['gone'] }));
    expect(await a.bus.ask('sum', 1)).toEqual({ received: new Map(), missing: ['b', 'c'] });
    a.bus.close();
    const answers = await Promise.all(open);
    expect(answers.every(({ missing }) => missing[0] === 'gone')).toBe(true);
  });

  it('is settled with what has come when the node ends', async () => {
    const [a, b] = await threeNodes();
    b.bus.handle('sum', () => 7);
    const asked = a.bus.ask('sum', 1, { timeoutMs: 600_000 });
    a.registry.knows('a');
    await eventually('c has declined and b has answered', async () => (await asked).received.size === 1);
    const waiting = a.bus.ask('sum', 1, { nodes: ['gone'], timeoutMs: 600_000 });
    a.bus.close();
    expect((await waiting).missing).toEqual(['gone']);
  });
});

describe('a kind of words', () => {
  it('has one handler', () => {
    const { bus } = makeNode('a');
    bus.handle('news', () => undefined);
    expect(() => bus.handle('news', () => undefined)).toThrow('news');
  });
});

describe('a node that is the only one', () => {
  it('is answered at once that nobody is missing', async () => {
    const bus = new LoneNodeBus();
    bus.handle();
    bus.tell();
    expect(await bus.ask()).toEqual({ received: new Map(), missing: [] });
    expect(bus.reachesOthers).toBe(false);
  });
});
