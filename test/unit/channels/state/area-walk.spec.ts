import { setImmediate as settled, setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OutboundMessage } from '@gatehouse/protocol';
import { AreaCells } from '../../../../packages/client/src/state/area-cells.js';
import { cellOf, type Box } from '../../../../src/channels/state/area-grid.js';
import { Areas, type SizedView } from '../../../../src/channels/state/areas.js';
import { SLOW_BYTES } from '../../../../src/channels/state/state-subscription.js';
import type { Session } from '../../../../src/sessions/session.js';
import { eventually } from '../../../support/eventually.js';
import { NAME, ReadableSession } from '../node.js';
import { Engine, stateNode, type Link, type StateNode } from './state-node.js';

const NODES = 2;
const VIEWERS = 4;
const SIDE = 5;
const AREA = { fields: ['lat', 'lon'], cell: 1, maxCells: 25, wrap: 0 } as const;
const OPTIONS = 'area: { fields: [lat, lon], cell: 1, max_cells: 25 }';

/** A client that follows docs/state.md, with the cells of the client library. */
class Viewer {
  readonly values = new Map<string, unknown>();
  private cells = new AreaCells(this.values);
  private covered = new Set<string>();
  private box: Box = [0, 0, 1, 1];
  private session: ReadableSession | undefined;
  private read = 0;
  private looking: Promise<void> = Promise.resolve();
  private readonly areas: Areas;

  constructor(private readonly node: StateNode) {
    this.areas = new Areas(node.hub);
  }

  get isLive(): boolean {
    return this.session !== undefined && this.covered.size > 0;
  }

  sees(value: unknown): boolean {
    return this.covered.has(cellOf(AREA, value) ?? '');
  }

  async connect(): Promise<void> {
    if (this.session === undefined) {
      const session = new ReadableSession();
      this.session = session;
      const { channels } = this.node;
      const reply = await channels
        .subscribe(session as unknown as Session, channels.named(NAME))
        .catch(() => undefined);
      if (this.session !== session) return;
      if (reply === undefined) return this.disconnect();
      reply.goLive();
      this.values.clear();
      this.cells = new AreaCells(this.values);
      this.covered.clear();
    }
    await this.look(this.box);
  }

  /** One after the other, as the server handles the messages of one client. */
  look(box: Box): Promise<void> {
    this.box = box;
    this.looking = this.looking.then(() => this.lookNow(box));
    return this.looking;
  }

  disconnect(): void {
    const { session } = this;
    if (session === undefined) return;
    this.readAll();
    Object.assign(session.connection, { isOpen: false, isServed: false });
    this.node.events.emit('closed', session as unknown as Session, 1000, '');
    this.session = undefined;
    this.covered.clear();
    this.read = 0;
  }

  slow(isSlow: boolean): void {
    if (this.session) Object.assign(this.session.connection, { waitingBytes: isSlow ? SLOW_BYTES : 0 });
  }

  readAll(): void {
    const { got = [] } = this.session ?? {};
    for (; this.read < got.length; this.read += 1) this.hear(got[this.read] as OutboundMessage);
  }

  private async lookNow(box: Box): Promise<void> {
    const { session, node } = this;
    if (session === undefined) return;
    const sized = await this.areas
      .look(session as unknown as Session, node.channels.named(NAME), box)
      .catch(() => undefined);
    if (this.session === session && sized !== undefined) this.take(sized);
  }

  private take({ view, goLive }: SizedView): void {
    this.readAll();
    this.cells.leave(view.left);
    for (const cell of view.left) this.covered.delete(cell);
    for (const cell of view.entered) this.cells.enter(cell);
    for (const cell of view.entered) this.covered.add(cell);
    for (const part of view.cells) this.cells.take(part.cell, part, false);
    goLive();
  }

  private hear({ type, epoch = '', seq = 0, data }: OutboundMessage): void {
    const part = data as { readonly cell: string };
    expect(['message', 'state']).toContain(type);
    if (type === 'state') this.cells.take(part.cell, { ...part, epoch, seq }, true);
    else this.cells.apply(part.cell, { ...part }, { epoch, seq });
  }
}

const place = fc.integer({ min: 0, max: SIDE * 4 - 1 }).map((n) => n / 4);
const KEY = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
const CORNER = fc.integer({ min: 0, max: SIDE - 1 });
const MOVE = fc.record({
  step: fc.constantFrom('move' as const, 'replace' as const),
  node: fc.nat(NODES - 1),
  key: KEY,
  value: fc.oneof(
    fc.record({ lat: place, lon: place }),
    fc.record({ lat: place, lon: place, x: fc.nat(2) }),
    fc.record({ lon: place, y: fc.nat(2) }),
    fc.record({ x: fc.constantFrom(0, 1, null) }),
  ),
});
const REMOVE = fc.record({ step: fc.constant('remove' as const), node: fc.nat(NODES - 1), key: KEY });
const LOOK = fc.record({
  step: fc.constant('look' as const),
  viewer: fc.nat(VIEWERS - 1),
  corner: fc.tuple(CORNER, CORNER),
  size: fc.tuple(fc.nat(2), fc.nat(2)),
});
const VIEW = fc.record({
  step: fc.constantFrom('connect' as const, 'leave' as const, 'slow' as const, 'fast' as const, 'read' as const),
  viewer: fc.nat(VIEWERS - 1),
});
const LOSE = fc.record({ step: fc.constantFrom('lose' as const, 'hear' as const), node: fc.nat(NODES - 1) });
const DISTURB = fc.record({
  step: fc.constantFrom('away' as const, 'back' as const, 'interrupt' as const),
  node: fc.nat(NODES - 1),
});
const PASS = fc.record({ step: fc.constantFrom('tick' as const, 'turn' as const, 'sweep' as const) });
const LIFE = fc.record({ step: fc.constant('new life' as const) });

const CALM = fc.oneof(
  { weight: 10, arbitrary: MOVE },
  { weight: 2, arbitrary: REMOVE },
  { weight: 4, arbitrary: LOOK },
);
const ROUGH = fc.oneof(
  { weight: 12, arbitrary: MOVE },
  { weight: 2, arbitrary: REMOVE },
  { weight: 5, arbitrary: LOOK },
  { weight: 5, arbitrary: VIEW },
  { weight: 6, arbitrary: LOSE },
  { weight: 2, arbitrary: DISTURB },
  { weight: 6, arbitrary: PASS },
  { weight: 1, arbitrary: LIFE },
);
type Step = typeof ROUGH extends fc.Arbitrary<infer S> ? S : never;

/** The walks of one test. Longer with STATE_WALKS=3000, as `npm run test:soak` has it. */
const WALKS = Number(process.env['STATE_WALKS'] ?? 40);

class World {
  readonly engine = new Engine();
  readonly nodes: StateNode[];
  readonly viewers: Viewer[];
  private changes: Promise<unknown>[] = [];

  constructor(delivery: string) {
    const options = `delivery: ${delivery}, history: { size: 3, age: 1h }, state: { tick: 1ms, ttl: never, ${OPTIONS} }`;
    this.nodes = Array.from({ length: NODES }, () => stateNode(this.engine, options));
    this.viewers = Array.from({ length: VIEWERS }, (_, n) => new Viewer(this.nodes[n % NODES] as StateNode));
  }

  async take(step: Step): Promise<void> {
    if ('key' in step) this.change(step);
    else if (step.step === 'look') {
      const { corner, size } = step;
      const box: Box = [corner[0] + 0.1, corner[1] + 0.1, corner[0] + size[0] + 0.2, corner[1] + size[1] + 0.2];
      void this.viewers[step.viewer]?.look(box);
    } else if ('viewer' in step) this.view(step);
    else if ('node' in step) this.disturb(step);
    else await this.pass(step.step);
  }

  private change(step: Extract<Step, { key: string }>): void {
    const state = this.nodes[step.node]?.channels.state(NAME);
    const change =
      step.step === 'remove'
        ? state?.remove(step.key)
        : step.step === 'move'
          ? state?.set(step.key, step.value)
          : state?.replace(step.key, step.value);
    // One that the engine cannot take now, or that leaves no place.
    this.changes.push(change?.catch(() => {}) ?? Promise.resolve());
  }

  private view({ step, viewer: index }: { readonly step: string; readonly viewer: number }): void {
    const viewer = this.viewers[index];
    if (step === 'connect') void viewer?.connect();
    else if (step === 'leave') viewer?.disconnect();
    else if (step === 'read') viewer?.readAll();
    else viewer?.slow(step === 'slow');
  }

  private disturb({ step, node: index }: { readonly step: string; readonly node: number }): void {
    const link = this.nodes[index]?.link;
    if (link === undefined) return;
    if (step === 'interrupt') link.interrupt();
    else if (step === 'lose' || step === 'hear') link.isLossy = step === 'lose';
    else if (step === 'away') link.isAway = true;
    else comeBack(link);
  }

  private async pass(step: string): Promise<void> {
    if (step === 'tick') await pause(2);
    else if (step === 'turn') await settled();
    else if (step === 'new life') await this.engine.beginNewLife();
    else await this.sweep();
  }

  private async sweep(): Promise<void> {
    for (const { hub, sweeper } of this.nodes) {
      hub.tick(performance.now());
      await sweeper.sweep(performance.now());
    }
  }

  /** After the changes so far are made and delivered, in a world without faults. */
  async calm(): Promise<void> {
    await Promise.all(this.changes);
    this.changes = [];
    for (const viewer of this.viewers) {
      await viewer.look(viewer['box']);
      viewer.readAll();
    }
    for (const viewer of this.viewers) expect(viewer.values).toEqual(await this.truthOf(viewer));
  }

  /** Every fault ends, everybody reads, and everyone must see what the engine has in its cells. */
  async settle(): Promise<void> {
    for (const { link } of this.nodes) {
      link.isLossy = false;
      comeBack(link);
    }
    await Promise.all(this.changes);
    for (const viewer of this.viewers) viewer.slow(false);
    await eventually('every viewer sees what the engine has', async () => {
      // What was lost without an interruption is noticed by the checks of the hub.
      await this.sweep();
      for (const viewer of this.viewers) await viewer.connect();
      for (const viewer of this.viewers) viewer.readAll();
      const same = this.viewers.map(
        async (viewer) => viewer.isLive && isSame(viewer.values, await this.truthOf(viewer)),
      );
      return (await Promise.all(same)).every(Boolean);
    });
  }

  private async truthOf(viewer: Viewer): Promise<ReadonlyMap<string, unknown>> {
    const { entries } = await this.engine.store.page(NAME);
    return new Map(entries.filter(({ value }) => viewer.sees(value)).map(({ key, value }) => [key, value]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes) node[Symbol.dispose]();
    await this.engine[Symbol.asyncDispose]();
  }
}

/** A node that reaches the engine again is told so. */
function comeBack(link: Link): void {
  if (!link.isAway) return;
  link.isAway = false;
  link.interrupt();
}

function isSame(left: ReadonlyMap<string, unknown>, right: ReadonlyMap<string, unknown>): boolean {
  try {
    expect(left).toEqual(right);
    return true;
  } catch {
    return false;
  }
}

describe('a publication of a cell that was lost', () => {
  it('is noticed by the next one there, and the cell is read again', async () => {
    await using world = new World('disconnect');
    const [viewer] = world.viewers;
    const [{ link }, { channels }] = world.nodes as [StateNode, StateNode];
    await viewer?.connect();
    const state = channels.state(NAME);
    const put = (key: string): Promise<unknown> => state.set(key, { lat: 0.5, lon: 0.5 });
    await put('a');
    link.isLossy = true;
    await put('lost');
    link.isLossy = false;
    await put('b');
    await eventually('all have come', () => {
      viewer?.readAll();
      return viewer?.values.size === 3;
    });
  });
});

describe('vehicles and viewers that move at random', { timeout: 300_000 }, () => {
  it('a viewer sees what is in its cells after each tick and delivery', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(CALM, { minLength: 1, maxLength: 8 }), { maxLength: 8 }), async (ticks) => {
        await using world = new World('disconnect');
        for (const viewer of world.viewers) await viewer.connect();
        for (const steps of ticks) {
          for (const step of steps) await world.take(step);
          await world.calm();
        }
      }),
      { numRuns: WALKS, endOnFailure: true },
    );
  });

  it.each(['disconnect', 'latest'])(
    'and in the end after losses, reconnects, outages and slow reading; delivery: %s',
    async (delivery) => {
      await fc.assert(
        fc.asyncProperty(fc.array(ROUGH, { minLength: 10, maxLength: 80 }), async (steps) => {
          await using world = new World(delivery);
          for (const viewer of world.viewers) await viewer.connect();
          for (const step of steps) await world.take(step);
          await world.settle();
        }),
        { numRuns: WALKS, endOnFailure: true },
      );
    },
  );
});
