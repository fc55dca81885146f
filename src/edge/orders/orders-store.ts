import { Packr } from 'msgpackr';
import type { EdgeEvents } from '../edge-events.js';
import type { EdgeDatabase, Write } from '../store/edge-database.js';
import type { KnownOrder } from './known-order.js';

type Orders = ReadonlyMap<string, KnownOrder>;

const packr = new Packr({ useRecords: false });
const BOUNDS = { after: 'o!', before: 'o"' } as const;
const PAGE = 1_000;
const RETRY_MS = 1_000;

/** The orders of the centre on the disk, for a start without it. */
export class OrdersStore {
  /** What the disk is to have. Undefined: it has it. */
  private wanted: Orders | undefined;
  private saved: Orders;
  private database: EdgeDatabase | undefined;
  private writing: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  private constructor(
    private readonly openDatabase: () => Promise<EdgeDatabase>,
    private readonly events: EdgeEvents,
    database: EdgeDatabase,
    /** What an earlier run has left. */
    readonly loaded: Orders,
  ) {
    this.database = database;
    this.saved = loaded;
  }

  /**
   * @param read reads an order, with its name
   * @throws UnusableSettings if another process uses the folder; Error if the disk fails
   */
  static async open(
    openDatabase: () => Promise<EdgeDatabase>,
    events: EdgeEvents,
    read: (stored: unknown) => KnownOrder | undefined,
  ): Promise<OrdersStore> {
    const database = await openDatabase();
    return new OrdersStore(openDatabase, events, database, await load(database, read));
  }

  changed(orders: Orders): void {
    this.wanted = orders;
    this.schedule();
  }

  async close(): Promise<void> {
    while (this.writing !== undefined) await this.writing;
    this.isClosed = true;
    clearTimeout(this.timer);
    const { database } = this;
    this.database = undefined;
    await database?.close().catch(() => undefined);
  }

  private schedule(): void {
    if (this.database !== undefined) this.writing ??= this.write(this.database);
  }

  private async write(database: EdgeDatabase): Promise<void> {
    try {
      while (this.wanted !== undefined) {
        const orders = this.wanted;
        this.wanted = undefined;
        await database.write(difference(this.saved, orders)).catch((error: unknown) => {
          this.wanted ??= orders;
          throw error;
        });
        this.saved = orders;
      }
    } catch (error) {
      await this.giveUp(error as Error);
    }
    this.writing = undefined;
  }

  /** The batch is on the disk as a whole or not at all: what is there is read again. */
  private async giveUp({ message }: Error): Promise<void> {
    const { database } = this;
    this.database = undefined;
    this.events.emit('fault', 'write_failed', `orders: ${message}`);
    await database?.close().catch(() => undefined);
    this.reopenLater();
  }

  private reopenLater(): void {
    if (!this.isClosed) this.timer = setTimeout(() => void this.reopen(), RETRY_MS).unref();
  }

  private async reopen(): Promise<void> {
    try {
      const database = await this.openDatabase();
      if (this.isClosed) return await database.close();
      await database.clear(BOUNDS);
      this.saved = new Map();
      this.database = database;
      this.schedule();
    } catch (error) {
      this.events.emit('fault', 'write_failed', `orders: ${(error as Error).message}`);
      this.reopenLater();
    }
  }
}

/** Orders that did not change are the same objects. */
function difference(saved: Orders, orders: Orders): Write[] {
  const writes: Write[] = [];
  for (const name of saved.keys()) if (!orders.has(name)) writes.push({ type: 'del', key: keyOf(name) });
  for (const [name, order] of orders) {
    if (saved.get(name) !== order) writes.push({ type: 'put', key: keyOf(name), value: packr.pack(order) });
  }
  return writes;
}

async function load(
  database: EdgeDatabase,
  read: (stored: unknown) => KnownOrder | undefined,
): Promise<Map<string, KnownOrder>> {
  const orders = new Map<string, KnownOrder>();
  for (let { after }: { after: string } = BOUNDS; ;) {
    const page = await database.read({ ...BOUNDS, after, limit: PAGE });
    for (const [key, value] of page) {
      const order = unpacked(value, read);
      if (order !== undefined && order.record.until > Date.now()) orders.set(key.slice(BOUNDS.after.length), order);
    }
    const last = page.at(-1);
    if (last === undefined) return orders;
    [after] = last;
  }
}

function unpacked(value: Buffer, read: (stored: unknown) => KnownOrder | undefined): KnownOrder | undefined {
  try {
    return read(packr.unpack(value));
  } catch {
    return undefined;
  }
}

function keyOf(name: string): string {
  return `${BOUNDS.after}${name}`;
}
