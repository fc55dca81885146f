import { Redis } from 'ioredis';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { AreaOptions } from '../../config/area-options.js';
import { createClient, type Client } from '../../packages/client/src/index.js';
import { openState, type ChannelState, type StateArea } from '../../packages/client/src/state.js';
import { Channels } from '../../src/channels/channels.js';
import { cellOf, cellsIn } from '../../src/channels/state/area-grid.js';
import { cellChannelOf } from '../../src/cluster/ports/state-store.js';
import type { ChannelName } from '../../src/cluster/ports/broker.js';
import { eventually } from '../support/eventually.js';
import { namespacesFile } from '../support/namespaces-file.js';
import { TestNodes } from '../support/test-nodes.js';
import { mintToken } from '../support/test-server.js';

const CHANNEL = 'fleet:oslo' as ChannelName;
const AREA: AreaOptions = { fields: ['lat', 'lon'], cell: 1, maxCells: 100, wrap: 0 };
const OPTIONS =
  'subscribe: anyone, publish: anyone, history: { size: 100, age: 1m }, ' +
  'state: { tick: 5ms, area: { fields: [lat, lon], cell: 1, max_cells: 100 } }';
const SIDE = 8;
/** Ticks of the walk. Longer with AREA_TICKS=500. */
const TICKS = Number(process.env['AREA_TICKS'] ?? 12);

/** A client of the library on one node, with the box that it shows. */
class Viewer implements Disposable {
  readonly state: ChannelState;
  private readonly client: Client;

  constructor(
    url: string,
    private box: StateArea,
  ) {
    this.client = createClient({ url, token: mintToken(), WebSocket });
    this.state = openState(this.client, CHANNEL, { area: box });
  }

  look(box: StateArea): void {
    this.box = box;
    this.state.look(box);
  }

  /** What is in the cells of the box and of the ring around it. */
  of(truth: ReadonlyMap<string, unknown>): ReadonlyMap<string, unknown> {
    const [top, left, bottom, right] = this.box;
    const cells = new Set(cellsIn(AREA, [top - 1, left - 1, bottom + 1, right + 1]));
    return new Map([...truth].filter(([, value]) => cells.has(cellOf(AREA, value) ?? '')));
  }

  [Symbol.dispose](): void {
    this.client.close();
  }
}

function equal(left: ReadonlyMap<string, unknown>, right: ReadonlyMap<string, unknown>): boolean {
  try {
    expect(left).toEqual(right);
    return true;
  } catch {
    return false;
  }
}

describe('an area over several nodes', { tags: ['redis'] }, () => {
  it('shows each viewer what is in its cells, while everything moves, and begins again if Redis loses it', async () => {
    using file = namespacesFile({ fleet: OPTIONS });
    await using nodes = await TestNodes.start(['a', 'b'], { ...file.environment, MESSAGE_RATE: '0' });
    const redis = new Redis(nodes.redis.url, { lazyConnect: true });
    redis.on('error', () => {});
    const stateOf = (node: number) => nodes.get(node, Channels).state(CHANNEL);
    const viewers = [0, 1, 0, 1].map((node, n) => new Viewer(nodes.at(node).url, [n, n, n + 1.5, n + 1.5]));
    const allSee = (): Promise<void> =>
      eventually('each viewer sees what is in its cells', async () => {
        // A node that has not found Redis again yet is busy.
        const values = await stateOf(0)
          .all()
          .then((state) => state.values)
          .catch(() => undefined);
        return (
          values !== undefined &&
          viewers.every(({ state }, n) => equal(state.values, viewers[n]?.of(values) ?? new Map()))
        );
      });
    try {
      const ticks = fc.sample(
        fc.record({
          moves: fc.array(fc.tuple(fc.nat(9), fc.nat(SIDE * 4), fc.nat(SIDE * 4), fc.boolean()), { maxLength: 12 }),
          looks: fc.array(fc.tuple(fc.nat(3), fc.nat(SIDE - 2), fc.nat(SIDE - 2)), { maxLength: 2 }),
        }),
        TICKS,
      );
      for (const { moves, looks } of ticks) {
        for (const [index, top, left] of looks) viewers[index]?.look([top + 0.2, left + 0.2, top + 1.6, left + 1.6]);
        const changes = moves.map(([vehicle, lat, lon, isOther], n) =>
          stateOf(isOther ? 1 : 0).set(`bus ${vehicle}`, { lat: lat / 4, lon: lon / 4, n }),
        );
        await Promise.all(changes);
        await allSee();
      }

      await nodes.redis.kill();
      await nodes.redis.restart();
      await eventually('changes are stored again', () =>
        stateOf(1)
          .set('new', { lat: 2.5, lon: 2.5 })
          .then(Boolean, () => false),
      );
      await allSee();

      // A cell that only one node looks at is heard by one, and the channel itself carries nothing.
      for (const viewer of viewers) viewer.look([0, 0, 0.5, 0.5]);
      viewers[0]?.look([5.2, 5.2, 5.5, 5.5]);
      const heardBy = async (cell: string): Promise<unknown> =>
        (await redis.pubsub('NUMSUB', `gatehouse:{${cellChannelOf(CHANNEL, cell)}}`))[1];
      await eventually('each node hears of its own cells', async () => {
        return (await heardBy('5:5')) === 1 && (await heardBy('0:0')) === 2 && (await heardBy('7:7')) === 0;
      });
    } finally {
      for (const viewer of viewers) viewer[Symbol.dispose]();
      redis.disconnect();
    }
  });
});
