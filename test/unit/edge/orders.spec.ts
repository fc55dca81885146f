import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ClusterEvents } from '../../../src/cluster/ports/cluster-events.js';
import { EdgeEvents } from '../../../src/edge/edge-events.js';
import type { Upstream } from '../../../src/edge/link/upstream.js';
import { CentreOrders } from '../../../src/edge/orders/centre-orders.js';
import { orderIn } from '../../../src/edge/orders/known-order.js';
import { OrdersStore } from '../../../src/edge/orders/orders-store.js';
import { databaseOpener, type EdgeDatabase } from '../../../src/edge/store/edge-database.js';
import { eventually } from '../../support/eventually.js';
import { temporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.js';

const HOUR_MS = 3_600_000;

function coded(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function banOf(key: string, until = Date.now() + HOUR_MS) {
  return { list: 'bans', record: { kind: 'user', key, until, reason: 'because', by: 'operator' } };
}

describe('the orders of the centre at an edge node', () => {
  let folder: TemporaryFolder;
  let orders: CentreOrders;
  let events: EdgeEvents;
  let answer: (from: number) => unknown;
  const upstream = {
    isUp: true,
    listen: () => {},
    request: async (_type: string, { from }: { from: number }) => answer(from),
  };

  async function open(opener?: () => Promise<EdgeDatabase>): Promise<void> {
    const openDatabase = opener ?? (await databaseOpener(folder.path, events, { name: 'orders' }));
    const store = await OrdersStore.open(openDatabase, events, orderIn);
    orders = new CentreOrders({
      upstream: upstream as unknown as Upstream,
      store,
      events,
      cluster: new ClusterEvents(),
    });
  }

  const keys = (): string[] => orders.of('bans').map(({ key }) => key);

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    folder = await temporaryFolder();
    events = new EdgeEvents();
    answer = () => ({ orders: [] });
    await open();
  });

  afterEach(async () => {
    await orders.close();
    vi.useRealTimers();
    await folder[Symbol.asyncDispose]();
  });

  it('are not complete before the last page, and changes that come meanwhile apply after it', async () => {
    answer = (from) => {
      if (from === 2)
        orders.pushed({ type: 'edge.orders_changed', data: { lifted: [{ list: 'bans', kind: 'user', key: 'a' }] } });
      return from === 0 ? { orders: [banOf('a'), banOf('b')], next: 2 } : { orders: [banOf('c')] };
    };
    orders.greeted();
    await eventually('all are read', () => keys().length > 0);
    expect(keys()).toEqual(['b', 'c']);
    orders.pushed({ type: 'edge.orders_changed', data: { orders: [banOf('d')], lifted: [] } });
    expect(keys()).toEqual(['b', 'c', 'd']);
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    expect(keys()).toEqual([]);
  });

  it('stay as they were if the link fails between two pages, and are read again', async () => {
    answer = () => ({ orders: [banOf('a')] });
    orders.greeted();
    await eventually('it is read', () => keys().length === 1);
    let asked = 0;
    answer = (from) => {
      asked += 1;
      if (from > 0) throw coded('NO_ANSWER');
      return { orders: [banOf('b')], next: 1 };
    };
    orders.greeted();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(asked).toBeGreaterThan(10);
    expect(keys()).toEqual(['a']);
    answer = () => ({ orders: [banOf('b')] });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(keys()).toEqual(['b']);
  });

  it('are none of a centre of an older release, which is not asked again', async () => {
    let asked = 0;
    answer = () => {
      asked += 1;
      throw coded('UNKNOWN_MESSAGE_TYPE');
    };
    orders.greeted();
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    expect(asked).toBe(1);
  });

  it('that this release does not know are told, and keep nothing from the others', async () => {
    let unreadable = 0;
    events.on('order_unreadable', () => (unreadable += 1));
    answer = () => ({ orders: [{ list: 'curfews', record: {} }, { list: 'bans' }, null, banOf('a')] });
    orders.greeted();
    await eventually('it is read', () => keys().length === 1);
    expect(unreadable).toBe(3);
  });

  it('are on the disk for the next start, without what has ended', async () => {
    answer = () => ({ orders: [banOf('a'), banOf('b', Date.now() + 1_000)] });
    orders.greeted();
    await eventually('they are read', () => keys().length === 2);
    orders.pushed({ type: 'edge.orders_changed', data: { orders: [banOf('c'), banOf('d')] } });
    orders.pushed({ type: 'edge.orders_changed', data: { lifted: [{ list: 'bans', kind: 'user', key: 'd' }] } });
    await orders.close();
    vi.setSystemTime(Date.now() + 2_000);
    await open();
    expect(keys()).toEqual(['a', 'c']);
    expect(orders.has({ list: 'bans', kind: 'user', key: 'a' })).toBe(true);
    expect(orders.has({ list: 'bans', kind: 'user', key: 'b' })).toBe(false);
  });

  it('are written again when the disk has room', async () => {
    await orders.close();
    let [isFull, opened] = [true, 0];
    const faults: string[] = [];
    events.on('fault', (_fault, detail) => faults.push(detail));
    const openReal = await databaseOpener(folder.path, events, { name: 'orders' });
    await open(async () => {
      const database = await openReal();
      opened += 1;
      const write: EdgeDatabase['write'] = (...given) =>
        isFull ? Promise.reject(coded('ENOSPC')) : database.write(...given);
      return { ...database, write };
    });
    answer = () => ({ orders: [banOf('a')] });
    orders.greeted();
    await eventually('the fault is told', () => faults.length > 0);
    expect(faults[0]).toBe('orders: ENOSPC');
    expect(keys()).toEqual(['a']);
    isFull = false;
    await eventually('it is open again', async () => {
      await vi.advanceTimersByTimeAsync(1_000);
      return opened === 2;
    });
    await orders.close();
    await open();
    expect(keys()).toEqual(['a']);
  });
});
