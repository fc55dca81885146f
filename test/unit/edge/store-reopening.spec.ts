import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseEdgeRules, type ForwardRule } from '../../../config/edge-file.js';
import type { ChannelName } from '../../../src/cluster/ports/broker.js';
import { EdgeEvents } from '../../../src/edge/edge-events.js';
import { MirrorStore } from '../../../src/edge/mirror/mirror-store.js';
import { orderIn } from '../../../src/edge/orders/known-order.js';
import { OrdersStore } from '../../../src/edge/orders/orders-store.js';
import { databaseOpener, type EdgeDatabase, type OpenDatabase } from '../../../src/edge/store/edge-database.js';
import { Outbox } from '../../../src/edge/store/outbox.js';
import { eventually } from '../../support/eventually.js';
import { temporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.js';

interface Store {
  /** Has it write something. */
  write(): void;
  close(): Promise<void>;
}

const RULES = parseEdgeRules(`forward: { channels: ['*'], max_bytes: 64KiB }`, new Map()).forward;
const FULL = Object.assign(new Error('no space'), { code: 'ENOSPC' });

/** With the clock going on, a second at a time. */
const eventuallyLater = (what: string, holds: () => boolean): Promise<void> =>
  eventually(what, async () => {
    await vi.advanceTimersByTimeAsync(1_000);
    return holds();
  });

describe.each(['outbox', 'mirror', 'orders'] as const)('the store %s, whose disk was full', (name) => {
  let folder: TemporaryFolder;
  let events: EdgeEvents;
  let attempts: number;
  let open: number;
  /** What the next attempt does after it has opened the database. */
  let opened: (database: EdgeDatabase) => Promise<EdgeDatabase>;

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    folder = await temporaryFolder();
    events = new EdgeEvents();
    [attempts, open] = [0, 0];
    opened = async (database) => ({ ...database, write: () => Promise.reject(FULL) });
  });

  afterEach(async () => {
    vi.useRealTimers();
    await folder[Symbol.asyncDispose]();
  });

  async function counted(): Promise<OpenDatabase> {
    const openReal = await databaseOpener(folder.path, events, { name });
    return async (isDamaged) => {
      const database = await openReal(isDamaged);
      open += 1;
      attempts += 1;
      const close = async (): Promise<void> => {
        await database.close();
        open -= 1;
      };
      return opened({ ...database, close });
    };
  }

  /** A store whose first write has failed. */
  async function failed(): Promise<Store> {
    const faulty = new Promise((resolve) => void events.once('fault', resolve));
    const store = await storeOn(await counted());
    store.write();
    await faulty;
    await eventually('its database is closed', () => open === 0);
    return store;
  }

  async function storeOn(openDatabase: OpenDatabase): Promise<Store> {
    if (name === 'outbox') {
      const outbox = await Outbox.open({ openDatabase, rules: RULES, events });
      const write = (): void =>
        void outbox.append(RULES[0] as ForwardRule, { channel: 'a:b', data: 1 }).catch(() => {});
      return { write, close: () => outbox.close() };
    }
    if (name === 'mirror') {
      const mirror = await MirrorStore.open(openDatabase, events);
      return { write: () => mirror.changed('a:b' as ChannelName, undefined), close: () => mirror.close() };
    }
    const orders = await OrdersStore.open(openDatabase, events, orderIn);
    const record = { kind: 'user', key: 'ada', until: Date.now() + 3_600_000, reason: '', by: 'operator' } as const;
    const write = (): void => orders.changed(new Map([['ada', { list: 'bans', record }]]));
    return { write, close: () => orders.close() };
  }

  it('is closed in the end where it was just being opened again', async () => {
    const store = await failed();
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    opened = async (database) => {
      await held;
      return database;
    };
    await eventuallyLater('it is being opened', () => attempts === 2);
    const closing = store.close();
    release();
    await closing;
    expect(open).toBe(0);
  });

  it('is let go where it can be opened and not read, and tried again', async () => {
    const store = await failed();
    opened = async (database) => {
      await database.close();
      throw FULL;
    };
    if (name !== 'mirror') {
      opened = async (database) => ({
        ...database,
        get: () => Promise.reject(FULL),
        read: () => Promise.reject(FULL),
      });
    }
    await eventuallyLater('it was tried', () => attempts > 1 && open === 0);
    opened = async (database) => database;
    await eventuallyLater('it is open', () => open === 1);
    await store.close();
    expect(open).toBe(0);
  });
});
