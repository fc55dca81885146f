import { describe, expect, it } from 'vitest';
import { Areas, type CellSnapshot, type SizedView } from '../../../../src/channels/state/areas.js';
import type { Box } from '../../../../src/channels/state/area-grid.js';
import type { Session } from '../../../../src/sessions/session.js';
import { gate, type Gate } from '../../../support/gate.js';
import { NAME, ReadableSession } from '../node.js';
import { Engine, stateNode, type StateNode } from './state-node.js';

const OPTIONS = 'history: { size: 9, age: 1h }, state: { tick: 1ms, area: { fields: [lat, lon], cell: 1 } }';
const TEXT = 'x'.repeat(15_000);
/** Both cells that have keys. */
const BOTH: Box = [0, 0, 0.5, 1.5];
const SECOND: Box = [0, 1.1, 0.5, 1.5];

/** A subscriber of a channel with keys in two cells. */
class World implements AsyncDisposable {
  readonly session = new ReadableSession();

  private constructor(
    readonly engine: Engine,
    readonly node: StateNode,
    readonly areas: Areas,
  ) {}

  static async with(count: number): Promise<World> {
    const engine = new Engine();
    const node = stateNode(engine, OPTIONS);
    const world = new World(engine, node, new Areas(node.hub));
    const state = node.channels.state(NAME);
    const keys = Array.from({ length: count }, (_, n) => n);
    await Promise.all(keys.map((n) => state.set(`key ${n}`, { lat: 0.5, lon: n % 2, text: TEXT })));
    (await node.channels.subscribe(world.session as unknown as Session, world.channel)).goLive();
    return world;
  }

  look(box: Box): Promise<SizedView> {
    return this.areas.look(this.session as unknown as Session, this.channel, box);
  }

  next() {
    return this.areas.next(this.session as unknown as Session, this.channel);
  }

  /** From now on, the store answers nothing until the gate opens. */
  hold(): Gate {
    const { store } = this.engine;
    const held = gate();
    const cellPage = store.cellPage.bind(store);
    store.cellPage = async (...given) => {
      await held.opened;
      return cellPage(...given);
    };
    return held;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.node[Symbol.dispose]();
    await this.engine[Symbol.asyncDispose]();
  }

  get channel() {
    return this.node.channels.named(NAME);
  }
}

const keysIn = (cells: readonly CellSnapshot[]): string[] => cells.flatMap(({ state }) => Object.keys(state));

describe('a look whose reply the client did not get', () => {
  it('is undone: the next one brings all of it', async () => {
    await using world = await World.with(4);
    (await world.look(BOTH)).goLive(false);
    const { view } = await world.look(BOTH);
    expect([view.entered, view.left]).toEqual([['0:0', '0:1'], []]);
    expect(keysIn(view.cells).toSorted()).toEqual(['key 0', 'key 1', 'key 2', 'key 3']);
  });

  it('leaves the client where it was, with the cells that it would have left', async () => {
    await using world = await World.with(4);
    (await world.look(BOTH)).goLive();
    (await world.look([5, 5, 5, 5])).goLive(false);
    await world.node.channels.state(NAME).set('key 0', { seen: true });
    expect(world.session.got).toMatchObject([{ data: { cell: '0:0', set: { 'key 0': { seen: true } } } }]);
    const { view } = await world.look(SECOND);
    expect([view.entered, view.left]).toEqual([[], ['0:0']]);
  });

  it('takes no part away that the client has not read', async () => {
    await using world = await World.with(150);
    const first = await world.look(BOTH);
    first.goLive();
    (await world.look([0, 0, 0.5, 2.5])).goLive(false);
    const read = new Set(keysIn(first.view.cells));
    for (let more = first.view.more; more;) {
      const { part } = world.next();
      for (const key of keysIn(part.cells)) read.add(key);
      ({ more } = part);
    }
    expect(read.size).toBe(150);
  });
});

describe('a part that the client did not get', () => {
  it('comes again', async () => {
    await using world = await World.with(150);
    const { view, goLive } = await world.look(BOTH);
    goLive();
    expect(view.more).toBe(true);
    world.next().undo();
    const read = new Set(keysIn(view.cells));
    for (let more = view.more; more;) {
      const { part } = world.next();
      for (const key of keysIn(part.cells)) read.add(key);
      ({ more } = part);
    }
    expect(read.size).toBe(150);
  });
});

describe('a look that is overtaken by a newer one', () => {
  it('is a CONFLICT, and the newer one has all values and gets all changes', async () => {
    await using world = await World.with(4);
    const held = world.hold();
    const older = world.look(BOTH);
    const newer = world.look(SECOND);
    held.open();
    await expect(older).rejects.toMatchObject({ code: 'CONFLICT' });
    const { view, goLive } = await newer;
    expect([view.entered, keysIn(view.cells)]).toEqual([['0:1'], ['key 1', 'key 3']]);
    goLive();
    const state = world.node.channels.state(NAME);
    await state.set('key 0', { seen: true });
    await state.set('key 1', { seen: true });
    expect(world.session.got).toMatchObject([{ data: { cell: '0:1' } }]);
  });

  it('takes nothing from it, although it ends later', async () => {
    await using world = await World.with(4);
    const overtaken = await world.look(BOTH);
    const { view, goLive } = await world.look(BOTH);
    expect(keysIn(view.cells)).toHaveLength(4);
    goLive();
    overtaken.goLive(false);
    await world.node.channels.state(NAME).set('key 0', { seen: true });
    expect(world.session.got).toMatchObject([{ data: { cell: '0:0' } }]);
  });
});
