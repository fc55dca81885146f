import { Packr } from 'msgpackr';
import type { EdgeEvents } from '../edge-events.js';
import {
  entriesIn,
  isCorrupt,
  META,
  openAndLoad,
  type EdgeDatabase,
  type OpenDatabase,
  type Write,
} from '../store/edge-database.js';
import { Reopening } from '../store/reopening.js';
import type { KnownOrder } from './known-order.js';

type Orders = ReadonlyMap<string, KnownOrder>;
/** What the disk has. Undefined: an order that has ended or cannot be read, which the next write removes. */
type SavedOrders = ReadonlyMap<string, KnownOrder | undefined>;

interface LoadedOrders {
  readonly saved: SavedOrders;
  readonly orders: Orders;
  /** Orders that were written and cannot be read. */
  readonly damaged: number;
}

const packr = new Packr({ useRecords: false });
const BOUNDS = { after: 'o!', before: 'o"' } as const;

/** The orders of the centre on the disk, for a start without it. */
export class OrdersStore {
  /** What the disk is to have. Undefined: it has it. */
  private wanted: Orders | undefined;
  private saved: SavedOrders;
  private database: EdgeDatabase | undefined;
  private writing: Promise<void> | undefined;
  private readonly reopening = new Reopening(
    (isDamaged) => this.reopen(isDamaged),
    (error) => this.events.emit('fault', 'write_failed', `orders: ${error.message}`),
  );
  /** What an earlier run has left. */
  readonly loaded: Orders;

  private constructor(
    private readonly openDatabase: OpenDatabase,
    private readonly events: EdgeEvents,
    database: EdgeDatabase,
    { saved, orders }: LoadedOrders,
  ) {
    this.database = database;
    this.saved = saved;
    this.loaded = orders;
  }

  /**
   * @param read reads an order, with its name
   * @throws UnusableSettings if another process uses the folder; Error if the disk fails
   */
  static async open(
    openDatabase: OpenDatabase,
    events: EdgeEvents,
    read: (stored: unknown) => KnownOrder | undefined,
  ): Promise<OrdersStore> {
    const { database, loaded } = await openAndLoad(openDatabase, (opened) => load(opened, read));
    if (loaded.damaged > 0) events.emit('fault', 'damaged', `orders: ${loaded.damaged} cannot be read`);
    return new OrdersStore(openDatabase, events, database, loaded);
  }

  changed(orders: Orders): void {
    this.wanted = orders;
    this.schedule();
  }

  async close(): Promise<void> {
    for (let work = this.work; work !== undefined; work = this.work) await work;
    this.reopening.end();
    const { database } = this;
    this.database = undefined;
    await database?.close().catch(() => undefined);
  }

  /** What must not be interrupted by a close. */
  private get work(): Promise<void> | undefined {
    return this.reopening.running ?? this.writing;
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

  /** Nobody knows what the disk has: all orders are written again when it can be. */
  private async giveUp(fault: Error): Promise<void> {
    const { database } = this;
    this.database = undefined;
    this.events.emit('fault', 'write_failed', `orders: ${fault.message}`);
    await database?.close().catch(() => undefined);
    this.reopening.begin(isCorrupt(fault));
  }

  private async reopen(isDamaged: boolean): Promise<void> {
    const openDatabase: OpenDatabase = (again = isDamaged) => this.openDatabase(again);
    const { database, loaded } = await openAndLoad(openDatabase, namesIn);
    this.saved = loaded;
    this.database = database;
    this.schedule();
  }
}

/** The orders on the disk, without their content: all of them are written again. */
async function namesIn(database: EdgeDatabase): Promise<SavedOrders> {
  const names = new Map<string, undefined>();
  for await (const [key] of entriesIn(database, BOUNDS)) names.set(nameIn(key), undefined);
  return names;
}

/** Orders that did not change are the same objects. */
function difference(saved: SavedOrders, orders: Orders): Write[] {
  const writes: Write[] = [];
  for (const name of saved.keys()) if (!orders.has(name)) writes.push({ type: 'del', key: keyOf(name) });
  for (const [name, order] of orders) {
    if (saved.get(name) !== order) writes.push({ type: 'put', key: keyOf(name), value: packr.pack(order) });
  }
  // A damaged block is passed over without an error: the count shows it.
  if (writes.length > 0) writes.push({ type: 'put', key: META, value: Buffer.from(String(orders.size)) });
  return writes;
}

async function load(database: EdgeDatabase, read: (stored: unknown) => KnownOrder | undefined): Promise<LoadedOrders> {
  const saved = new Map<string, KnownOrder | undefined>();
  const orders = new Map<string, KnownOrder>();
  let damaged = 0;
  for await (const [key, value] of entriesIn(database, BOUNDS)) {
    const name = nameIn(key);
    const order = unpacked(value, read);
    if (order === undefined) damaged += 1;
    const isInForce = order !== undefined && order.record.until > Date.now();
    if (isInForce) orders.set(name, order);
    saved.set(name, isInForce ? order : undefined);
  }
  const written = Number(String(await database.get(META)));
  const missing = Number.isSafeInteger(written) ? Math.max(0, written - saved.size) : 0;
  return { saved, orders, damaged: damaged + missing };
}

function nameIn(key: string): string {
  return key.slice(BOUNDS.after.length);
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
