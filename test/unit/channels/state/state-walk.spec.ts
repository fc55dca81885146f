import { setImmediate as settled, setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OutboundMessage } from '@gatehouse/protocol';
import { merge } from '../../../../src/channels/state/merge-patch.js';
import type { StateChanges } from '../../../../src/channels/state/state-order.js';
import { SLOW_BYTES } from '../../../../src/channels/state/state-subscription.js';
import type { Subscribed } from '../../../../src/channels/subscribe-options.js';
import type { Session } from '../../../../src/sessions/session.js';
import { eventually } from '../../../support/eventually.js';
import { NAME, ReadableSession } from '../node.js';
import { Engine, stateNode, type StateNode } from './state-node.js';

/** A client that follows docs/state.md. */
class Viewer {
  readonly map = new Map<string, unknown>();
  private position: { readonly epoch: string; readonly seq: number } | undefined;
  private session: ReadableSession | undefined;
  private read = 0;

  constructor(private readonly node: StateNode) {}

  get isLive(): boolean {
    return this.session !== undefined;
  }

  /** Resolves when it is live, or could not be. */
  async connect(): Promise<void> {
    if (this.session !== undefined) return;
    const session = new ReadableSession();
    this.session = session;
    const { channels } = this.node;
    const wish = { since: this.position };
    const reply = await channels
      .subscribe(session as unknown as Session, channels.named(NAME), wish)
      .catch(() => undefined);
    if (this.session !== session) return;
    if (reply === undefined) return this.disconnect();
    this.take(reply);
    reply.goLive();
  }

  disconnect(): void {
    const { session } = this;
    if (session === undefined) return;
    this.readAll();
    Object.assign(session.connection, { isOpen: false, isServed: false });
    this.node.events.emit('closed', session as unknown as Session, 1000, '');
    this.session = undefined;
    this.read = 0;
  }

  slow(isSlow: boolean): void {
    if (this.session) Object.assign(this.session.connection, { waitingBytes: isSlow ? SLOW_BYTES : 0 });
  }

  readAll(): void {
    const { got = [] } = this.session ?? {};
    for (; this.read < got.length; this.read += 1) this.hear(got[this.read] as OutboundMessage);
  }

  private take({ epoch = '', seq = 0, recovered, publications, state, gap }: Subscribed): void {
    expect(gap).toBeUndefined();
    if (!recovered) this.begin(state);
    for (const { data } of publications) this.apply(data as StateChanges);
    this.position = { epoch, seq };
  }

  private hear({ type, epoch = '', seq = 0, data }: OutboundMessage): void {
    expect(['message', 'state']).toContain(type);
    if (type === 'state') this.begin((data as { state: Record<string, unknown> }).state);
    else this.apply(data as StateChanges);
    this.position = { epoch, seq };
  }

  private begin(state: Readonly<Record<string, unknown>> = {}): void {
    this.map.clear();
    for (const [key, value] of Object.entries(state)) this.map.set(key, value);
  }

  private apply({ set = {}, del = [] }: StateChanges): void {
    for (const key of del) this.map.delete(key);
    for (const [key, patch] of Object.entries(set)) this.map.set(key, merge(this.map.get(key), patch));
  }
}

const NODES = 2;
const VIEWERS = 4;
const KEYS = ['a', 'b', 'c', 'd'];
const FIELD = fc.constantFrom('x', 'y', 'toString');
const PART = fc.oneof(fc.nat(3), fc.constant(null), fc.dictionary(FIELD, fc.oneof(fc.nat(3), fc.constant(null))));

const STEP = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      step: fc.constant('set' as const),
      node: fc.nat(NODES - 1),
      key: fc.constantFrom(...KEYS),
      patch: fc.oneof(fc.nat(3), fc.dictionary(FIELD, PART)),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      step: fc.constant('remove' as const),
      node: fc.nat(NODES - 1),
      key: fc.constantFrom(...KEYS),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      step: fc.constantFrom('connect' as const, 'leave' as const, 'slow' as const, 'fast' as const, 'read' as const),
      viewer: fc.nat(VIEWERS - 1),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      step: fc.constantFrom('lose' as const, 'hear' as const, 'away' as const, 'back' as const, 'interrupt' as const),
      node: fc.nat(NODES - 1),
    }),
  },
  { weight: 6, arbitrary: fc.record({ step: fc.constantFrom('tick' as const, 'turn' as const, 'sweep' as const) }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('new life' as const) }) },
);
type Step = typeof STEP extends fc.Arbitrary<infer S> ? S : never;

/** The walks of one test. Longer with STATE_WALKS=3000, as `npm run test:soak` has it. */
const WALKS = Number(process.env['STATE_WALKS'] ?? 60);

class World {
  readonly engine = new Engine();
  readonly nodes: StateNode[];
  readonly viewers: Viewer[];
  private readonly changes: Promise<unknown>[] = [];

  constructor(options: string) {
    this.nodes = Array.from({ length: NODES }, () => stateNode(this.engine, options));
    this.viewers = Array.from({ length: VIEWERS }, (_, n) => new Viewer(this.nodes[n % NODES] as StateNode));
  }

  async take(step: Step): Promise<void> {
    if ('key' in step) this.change(step);
    else if ('viewer' in step) this.view(step);
    else if ('node' in step) this.disturb(step);
    else await this.pass(step.step);
  }

  private change(step: Extract<Step, { key: string }>): void {
    const state = this.nodes[step.node]?.channels.state(NAME);
    const change = step.step === 'set' ? state?.set(step.key, step.patch) : state?.remove(step.key);
    // One that the engine cannot take now.
    this.changes.push(change?.catch(() => {}) ?? Promise.resolve());
  }

  private view({ step, viewer: index }: Extract<Step, { viewer: number }>): void {
    const viewer = this.viewers[index];
    if (step === 'connect') void viewer?.connect();
    else if (step === 'leave') viewer?.disconnect();
    else if (step === 'read') viewer?.readAll();
    else viewer?.slow(step === 'slow');
  }

  private disturb({ step, node: index }: Exclude<Extract<Step, { node: number }>, { key: string }>): void {
    const link = this.nodes[index]?.link;
    if (link === undefined) return;
    if (step === 'interrupt') link.interrupt();
    else if (step === 'lose' || step === 'hear') link.isLossy = step === 'lose';
    else link.isAway = step === 'away';
  }

  private async pass(step: 'tick' | 'turn' | 'sweep' | 'new life'): Promise<void> {
    if (step === 'tick') await pause(2);
    else if (step === 'turn') await settled();
    else if (step === 'new life') await this.engine.beginNewLife();
    else
      for (const { hub, sweeper } of this.nodes) {
        hub.tick(performance.now());
        await sweeper.sweep(performance.now());
      }
  }

  /** Every fault ends, everybody reads, and everyone who is connected must see what the engine has. */
  async settle(): Promise<void> {
    for (const { link } of this.nodes) Object.assign(link, { isAway: false, isLossy: false });
    await Promise.all(this.changes);
    for (const viewer of this.viewers) viewer.slow(false);
    for (const viewer of this.viewers) await viewer.connect();
    await eventually('every viewer sees what the engine has', async () => {
      for (const { link, hub, sweeper } of this.nodes) {
        link.interrupt();
        hub.tick(performance.now());
        await sweeper.sweep(performance.now());
      }
      for (const viewer of this.viewers) await viewer.connect();
      for (const viewer of this.viewers) viewer.readAll();
      const truth = await this.truth();
      return this.viewers.every((viewer) => viewer.isLive && sameMaps(viewer.map, truth));
    });
  }

  async truth(): Promise<ReadonlyMap<string, unknown>> {
    const { entries } = await this.engine.store.page(NAME);
    return new Map(entries.map(({ key, value }) => [key, value]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes) node[Symbol.dispose]();
    await this.engine[Symbol.asyncDispose]();
  }
}

function sameMaps(left: ReadonlyMap<string, unknown>, right: ReadonlyMap<string, unknown>): boolean {
  try {
    expect(left).toEqual(right);
    return true;
  } catch {
    return false;
  }
}

describe('after any changes, losses, reconnects, outages and slow reading', () => {
  it.each(['disconnect', 'latest'])(
    'everyone has the state of the engine; delivery: %s',
    { timeout: 300_000 },
    async (delivery) => {
      await fc.assert(
        fc.asyncProperty(fc.array(STEP, { minLength: 10, maxLength: 80 }), async (steps) => {
          const options = `delivery: ${delivery}, history: { size: 3, age: 1h }, state: { tick: 1ms, ttl: never }`;
          await using world = new World(options);
          for (const viewer of world.viewers) await viewer.connect();
          for (const step of steps) await world.take(step);
          await world.settle();
        }),
        { numRuns: WALKS, endOnFailure: true },
      );
    },
  );
});
