import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { approximateBytes } from '../ports/approximate-bytes.js';
import type { ChannelName, Draft, Position } from '../ports/broker.js';
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
import {
  bytesOf,
  emptyValues,
  endOfOldest,
  entryOf,
  expiredIn,
  growthOf,
  staleOf,
  type Held,
  type Values,
} from './memory-values.js';
import { Sweeps, SWEEP_MS } from './sweeps.js';

/** The state of a single node. Everything stays in this process. */
export class MemoryStateStore implements StateStore {
  private readonly channels = new Map<ChannelName, Values>();
  private readonly sweeps = new Sweeps<Values>((values, now) => this.tidy(values, now));
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
    const values = this.channels.get(channel) ?? emptyValues(channel, history);
    const before = this.broker.positionOf(channel);
    const stale = staleOf(commit, { values, epoch: before.epoch, now });
    if (stale !== undefined) return stale;
    const full = this.lacksRoomFor(commit, values);
    if (full !== undefined) return full;
    const position = this.publish(channel, commit.draft, { history, isTold: commit.cells === undefined }) ?? before;
    for (const change of commit.changes)
      this.carryOut(values, change, { version: position.seq, now, ttlMs: commit.ttlMs });
    values.history = history;
    this.keep(values);
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
    const values = this.channels.get(channel);
    return values ? expiredIn(values, Date.now(), limit) : [];
  }

  close(): void {
    this.isClosed = true;
    this.sweeps.stop();
    this.channels.clear();
  }

  private demandOpen(): void {
    if (this.isClosed) throw new GatehouseError('SERVER_BUSY');
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

  private keep(values: Values): void {
    const { channel, byKey } = values;
    this.broker.pin(channel, byKey.size > 0);
    if (byKey.size > 0) {
      this.channels.set(channel, values);
      this.sweeps.plan(values, endOfOldest(values));
    } else {
      this.channels.delete(channel);
      this.sweeps.forget(values);
    }
  }

  /** Removes keys whose time is over. With subscribers, their node removes them. */
  private tidy(values: Values, now: number): void {
    const { channel, byKey, cells, history } = values;
    if (this.broker.isSubscribed(channel))
      return this.sweeps.plan(values, Math.max(endOfOldest(values), now + SWEEP_MS));
    const del = expiredIn(values, now);
    if (del.length > 0) {
      const draft = { data: { del }, from: undefined, excludeSession: undefined, expiresAt: undefined };
      this.publish(channel, draft, { history, isTold: false });
    }
    for (const key of del) {
      const held = byKey.get(key);
      this.bytes -= held?.bytes ?? 0;
      cells.leave(key, held?.cell);
      byKey.delete(key);
    }
    this.keep(values);
  }
}

interface Told {
  readonly values: Values;
  readonly position: Position;
  readonly cells: CellsCommit | undefined;
}
