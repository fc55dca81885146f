import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { approximateBytes } from '../ports/approximate-bytes.js';
import type { ChannelName, Draft, Position, PublishOptions } from '../ports/broker.js';
import {
  cellChannelOf,
  type CellPlace,
  type CellsCommit,
  type StateChange,
  type StateCommit,
  type StateEntry,
  type StateOutcome,
  type StatePage,
  type StateStore,
} from '../ports/state-store.js';
import type { MemoryBroker } from './memory-broker.js';
import { MemoryCells } from './memory-cells.js';

/** How often values of channels without subscribers are looked at. With subscribers, their node removes them. */
export const STATE_SWEEP_MS = 10_000;
/** Bytes of a key beside its name and value. */
const ROOM_OF_KEY = 250;

interface Held {
  readonly value: unknown;
  readonly version: number;
  readonly owner: string | undefined;
  readonly expiresAt: number;
  readonly bytes: number;
  readonly cell: string | undefined;
}

interface Values {
  /** The key that was set longest ago is first: all live equally long. */
  readonly byKey: Map<string, Held>;
  readonly cells: MemoryCells;
  history: NonNullable<PublishOptions['history']>;
}

/** The state of a single node. Everything stays in this process. */
export class MemoryStateStore implements StateStore {
  private readonly channels = new Map<ChannelName, Values>();
  private readonly sweeper = setInterval(() => this.sweep(Date.now()), STATE_SWEEP_MS).unref();
  private bytes = 0;
  private isClosed = false;

  /** @param budgetBytes for all values; beyond it, nothing more is set. 0 means no limit */
  constructor(
    private readonly broker: MemoryBroker,
    private readonly budgetBytes = 0,
  ) {}

  /** The number of channels that take memory. */
  get size(): number {
    return this.channels.size;
  }

  async commit(channel: ChannelName, commit: StateCommit): Promise<StateOutcome> {
    this.demandOpen();
    const now = Date.now();
    const { history } = commit;
    const values: Values = this.channels.get(channel) ?? { byKey: new Map(), cells: new MemoryCells(), history };
    const before = this.broker.positionOf(channel);
    const stale = staleOf(commit, { values, epoch: before.epoch, now });
    if (stale !== undefined) return stale;
    const full = this.lacksRoomFor(commit, values);
    if (full !== undefined) return full;
    const position = this.publish(channel, commit.draft, { history, isTold: commit.cells === undefined }) ?? before;
    for (const change of commit.changes)
      this.carryOut(values, change, { version: position.seq, now, ttlMs: commit.ttlMs });
    values.history = history;
    this.keep(channel, values);
    this.tellCells(channel, { values, position, cells: commit.cells });
    return { is: 'done', position };
  }

  async get(
    channel: ChannelName,
    key: string,
  ): Promise<{ readonly position: Position; readonly entry: StateEntry | undefined }> {
    this.demandOpen();
    const held = this.channels.get(channel)?.byKey.get(key);
    return { position: this.broker.positionOf(channel), entry: held && entryOf(key, held, Date.now()) };
  }

  async cellPage({ channel, cell }: CellPlace): Promise<StatePage> {
    this.demandOpen();
    const now = Date.now();
    const { byKey, cells } = this.channels.get(channel) ?? { byKey: new Map<string, Held>(), cells: new MemoryCells() };
    const { epoch } = this.broker.positionOf(channel);
    const entries = [...cells.keysIn(cell)].flatMap((key) => {
      const held = byKey.get(key);
      return held ? [entryOf(key, held, now)] : [];
    });
    return { position: { epoch, seq: cells.seqOf(cell) }, entries, next: undefined };
  }

  /** All at once: they are only referred to. */
  async page(channel: ChannelName): Promise<StatePage> {
    this.demandOpen();
    const now = Date.now();
    const entries = [...(this.channels.get(channel)?.byKey ?? [])].map(([key, held]) => entryOf(key, held, now));
    return { position: this.broker.positionOf(channel), entries, next: undefined };
  }

  async expired(channel: ChannelName, limit: number): Promise<readonly string[]> {
    this.demandOpen();
    return this.expiredOf(channel, Date.now(), limit);
  }

  close(): void {
    this.isClosed = true;
    clearInterval(this.sweeper);
    this.channels.clear();
  }

  private demandOpen(): void {
    if (this.isClosed) throw new GatehouseError('SERVER_BUSY');
  }

  private expiredOf(channel: ChannelName, now: number, limit = Infinity): readonly string[] {
    const keys: string[] = [];
    for (const [key, { expiresAt }] of this.channels.get(channel)?.byKey ?? []) {
      if (expiresAt > now || keys.length >= limit) break;
      keys.push(key);
    }
    return keys;
  }

  private publish(
    channel: ChannelName,
    draft: Draft | undefined,
    { history, isTold }: { readonly history: Values['history']; readonly isTold: boolean },
  ): Position | undefined {
    if (draft === undefined) return undefined;
    return this.broker.publishNow(channel, draft, { history, idempotencyKey: undefined }, isTold).position;
  }

  private tellCells(channel: ChannelName, { values, position: { epoch, seq }, cells }: Told): void {
    for (const { cell, draft } of cells?.drafts ?? []) {
      const after = values.cells.published(cell, seq);
      const publication = { ...draft, ts: Date.now(), seq, after, bytes: approximateBytes(draft.data) };
      this.broker.carry(cellChannelOf(channel, cell), publication, epoch);
    }
  }

  private lacksRoomFor({ changes, maxKeys }: StateCommit, { byKey }: Values): StateOutcome | undefined {
    const added = changes.filter(({ key, what }) => what === 'set' && !byKey.has(key)).length;
    const keys = byKey.size + added - changes.filter(({ key, what }) => what === 'remove' && byKey.has(key)).length;
    const grown = this.excessOf(changes, byKey);
    const isFull = keys > byKey.size && keys > maxKeys;
    if (!isFull && grown.length === 0) return undefined;
    return { is: 'full', room: isFull ? Math.max(0, maxKeys - byKey.size) : added, grown };
  }

  /** The keys for whose growth there is no memory, beside what shrinks and what comes before them. */
  private excessOf(changes: StateCommit['changes'], byKey: Values['byKey']): readonly string[] {
    if (this.budgetBytes === 0) return [];
    const growths = changes.map((change) => [change.key, growthOf(change, byKey.get(change.key))] as const);
    let bytes = growths.reduce((sum, [, growth]) => sum + Math.min(0, growth), this.bytes);
    return growths.flatMap(([key, growth]) => {
      const fits = growth <= 0 || bytes + growth <= this.budgetBytes;
      if (fits) bytes += Math.max(0, growth);
      return fits ? [] : [key];
    });
  }

  private carryOut(
    { byKey, cells }: Values,
    { key, what, value, owner, cell }: StateChange,
    { version, now, ttlMs }: { readonly version: number; readonly now: number; readonly ttlMs: number },
  ): void {
    if (what === 'check') return;
    const held = byKey.get(key);
    byKey.delete(key);
    this.bytes -= held?.bytes ?? 0;
    const expiresAt = ttlMs === 0 ? Infinity : now + ttlMs;
    let next: Held | undefined;
    if (what === 'set') next = { value, version, owner, expiresAt, bytes: bytesOf(key, value), cell };
    else if (what === 'keep' && held !== undefined) next = { ...held, expiresAt };
    cells.move(key, held?.cell, next?.cell);
    if (next === undefined) return;
    byKey.set(key, next);
    this.bytes += next.bytes;
  }

  private keep(channel: ChannelName, values: Values): void {
    if (values.byKey.size > 0) this.channels.set(channel, values);
    else this.channels.delete(channel);
    this.broker.pin(channel, values.byKey.size > 0);
  }

  private sweep(now: number): void {
    for (const [channel, values] of this.channels) {
      if (this.broker.isSubscribed(channel)) continue;
      const del = this.expiredOf(channel, now);
      if (del.length === 0) continue;
      const draft = { data: { del }, from: undefined, excludeSession: undefined, expiresAt: undefined };
      this.publish(channel, draft, { history: values.history, isTold: false });
      for (const key of del) {
        const held = values.byKey.get(key);
        this.bytes -= held?.bytes ?? 0;
        values.cells.leave(key, held?.cell);
        values.byKey.delete(key);
      }
      this.keep(channel, values);
    }
  }
}

function growthOf({ key, what, value }: StateChange, held: Held | undefined): number {
  if (what === 'set') return bytesOf(key, value) - (held?.bytes ?? 0);
  return what === 'remove' ? -(held?.bytes ?? 0) : 0;
}

interface Told {
  readonly values: Values;
  readonly position: Position;
  readonly cells: CellsCommit | undefined;
}

function staleOf(
  { changes, epoch }: StateCommit,
  { values: { byKey }, epoch: current, now }: { readonly values: Values; readonly epoch: string; readonly now: number },
): StateOutcome | undefined {
  const isOther = epoch !== undefined && epoch !== current;
  const isAt = ({ key, what, expected }: StateChange): boolean => {
    const held = byKey.get(key);
    if (isOther || (held?.version ?? 0) !== expected) return false;
    return what !== 'expire' || (held !== undefined && held.expiresAt <= now);
  };
  const keys = changes.filter((change) => !isAt(change)).map(({ key }) => key);
  if (keys.length === 0) return undefined;
  const entries = keys.flatMap((key) => {
    const held = byKey.get(key);
    return held ? [entryOf(key, held, now)] : [];
  });
  return { is: 'stale', epoch: current, entries, absent: keys.filter((key) => !byKey.has(key)) };
}

function entryOf(key: string, { value, version, owner, expiresAt }: Held, now: number): StateEntry {
  return { key, value, version, owner, hasExpired: expiresAt <= now };
}

function bytesOf(key: string, value: unknown): number {
  return ROOM_OF_KEY + key.length + approximateBytes(value);
}
