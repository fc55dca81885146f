import { giverOf, isAbove } from '../../cluster/ports/given-order.js';
import { nameOf, type ListRecord, type Named } from '../../cluster/ports/record-store.js';
import type { GatehouseError } from '../../protocol/gatehouse-error.js';
import { ListSync } from './list-sync.js';
import type { ReplicatedListParts } from './replicated-list-parts.js';
import { outranked } from './standing.js';

/** Yielding records on their way to the store at one time. Beyond it, they apply on this node only. */
const MAX_BEING_SHARED = 100;
/** Records that wait for the store. Beyond it, the oldest applies on this node only. */
export const MAX_UNSTORED = 1_000;
/** How often the store is read again because records change meanwhile, before the result is used. */
const MAX_READS = 3;

/** A list of records that apply on every node. A store keeps them for nodes that start. */
export class ReplicatedList<R extends ListRecord> {
  /** Records of this node that the store may not have yet, by name. */
  private readonly unstored = new Map<string, R>();
  /** Yielding records that may be missing in the store. They were not lifted. */
  private readonly unshared = new WeakSet<R>();
  private beingShared = 0;
  /** Counts orders and lifts, of this node and of others. */
  private changes = 0;
  private vainReads = 0;
  private storeLife: string | undefined;
  private readonly sync = new ListSync(() => this.reconcile());

  constructor(private readonly parts: ReplicatedListParts<R>) {
    const { bus, events, names } = parts;
    bus.handle(names.order, (payload) => this.hear(this.read(payload)));
    bus.handle(names.lift, (payload) => this.drop(this.read(payload)));
    bus.handle(names.restated, () => this.sync.soon());
    events.on('rejoined', () => this.sync.soon());
    if (bus.reachesOthers) this.sync.watch(() => this.hasLost());
  }

  /** Reads the store. Resolves after the first attempt. */
  start(): Promise<void> {
    return this.sync.now();
  }

  close(): void {
    this.sync.close();
  }

  get unstoredCount(): number {
    return this.unstored.size;
  }

  /** Call it when a record that does not yield was put on this node. */
  changed(): void {
    this.changes += 1;
  }

  /** The records in force: those of all nodes, and others that this node enforces. Without Redis, only the latter. */
  async list(): Promise<readonly R[]> {
    const { store, known } = this.parts;
    const stored = await store.list().catch(() => []);
    const now = Date.now();
    const inForce = stored.filter(({ until }) => until > now);
    const names = new Set(inForce.map(nameOf));
    return [...inForce, ...known.active(now).filter((record) => !names.has(nameOf(record)))];
  }

  /**
   * Stores an order, now or later. Resolves with false if there is no room for it.
   *
   * @throws GatehouseError SERVER_BUSY if it is stored later; FORBIDDEN if someone above its giver gave the stored one,
   *   which then applies on this node, too
   */
  async keep(record: R): Promise<boolean> {
    const { store, events, names } = this.parts;
    this.unstored.set(nameOf(record), record);
    let outcome: boolean | R;
    try {
      outcome = await store.put(record);
    } catch (error) {
      const [oldest] = this.unstored.keys();
      if (this.unstored.size > MAX_UNSTORED && oldest !== undefined) this.unstored.delete(oldest);
      events.emit('lost', names.loss, 1);
      this.sync.later();
      throw error;
    }
    this.settle(record);
    if (typeof outcome === 'boolean') return outcome;
    throw await this.giveWay(outcome);
  }

  /** Stores a yielding record and sends it to the other nodes, if that is possible now. */
  async share(record: R): Promise<void> {
    const { bus, store, events, names } = this.parts;
    this.unshared.add(record);
    if (this.beingShared >= MAX_BEING_SHARED) {
      events.emit('lost', names.loss, 1);
      return;
    }
    this.beingShared += 1;
    bus.tell(names.order, record);
    try {
      await store.put(record);
      this.unshared.delete(record);
    } catch {
      events.emit('lost', names.loss, 1);
    }
    this.beingShared -= 1;
  }

  /**
   * Lifts a record on all nodes. Nodes keep a record that someone above the giver gave. Resolves with whether there was one.
   *
   * @throws GatehouseError SERVER_BUSY if the store cannot be reached, FORBIDDEN if someone above the giver gave the stored
   *   record; then nothing is lifted
   */
  async lift(lifted: R): Promise<boolean> {
    const { bus, store, names } = this.parts;
    const wasStored = await store.lift(lifted.kind, lifted.key, lifted);
    if (typeof wasStored !== 'boolean') throw await this.giveWay(wasStored);
    bus.tell(names.lift, lifted);
    const wasKnown = await this.drop(lifted);
    return wasStored || wasKnown;
  }

  /** Ends a record on this node. Returns whether there was one. */
  async forget(record: Named<R>, why: 'lifted' | 'missing' = 'lifted'): Promise<boolean> {
    const { known, effects } = this.parts;
    this.changes += 1;
    this.unstored.delete(nameOf(record));
    const wasKnown = known.lift(record.kind, record.key);
    await effects.released(record, why);
    return wasKnown;
  }

  /**
   * Applies a stored record, which this node had not heard of, instead of its own. It may have been lifted since it was
   * read. Resolves with the answer to the one who would have lifted or replaced it.
   */
  private async giveWay(stored: R): Promise<GatehouseError> {
    const { known, effects } = this.parts;
    this.changes += 1;
    known.lift(stored.kind, stored.key);
    this.sync.soon();
    await effects.enforce(stored);
    return outranked(stored);
  }

  private async drop(lifted: R): Promise<boolean> {
    const { known, type } = this.parts;
    const present = known.get(lifted.kind, lifted.key);
    const isOrder = present !== undefined && !type.isYielding(present);
    if (isOrder && isAbove(giverOf(present), giverOf(lifted))) return false;
    this.sync.lifted();
    return this.forget(lifted);
  }

  /**
   * Takes an order of another node. If this node has an order or a lift of the same record, the nodes got them in
   * different orders, and the store tells which came last.
   */
  private hear(record: R): unknown {
    const { known, effects, type } = this.parts;
    if (!type.isYielding(record)) {
      const present = known.get(record.kind, record.key);
      const isContested = present !== undefined && JSON.stringify(present) !== JSON.stringify(record);
      if (isContested) this.sync.soon();
      else this.sync.heard();
    }
    return effects.enforce(record);
  }

  private isOnItsWay(record: R): boolean {
    return this.unstored.has(nameOf(record)) || this.unshared.has(record);
  }

  /** The store has this record. A later one may still be missing there. */
  private settle(record: R): void {
    if (this.unstored.get(nameOf(record)) === record) this.unstored.delete(nameOf(record));
  }

  /** Before the first read there is nothing to compare. */
  private async hasLost(): Promise<boolean> {
    return this.storeLife !== undefined && (await this.parts.store.life()) !== this.storeLife;
  }

  /** Brings the store and this node in line after a time in which messages may have been missed. */
  private async reconcile(): Promise<void> {
    const { store, known, effects } = this.parts;
    await this.storeUnstored();
    const { changes } = this;
    // Records on their way to the store may be missing there.
    const before = known.active(Date.now()).filter((record) => !this.isOnItsWay(record));
    const life = await store.life();
    const stored = await store.list();
    // Another server answers by now, or records changed during the read, so the result cannot be used.
    const isSteady = changes === this.changes || this.vainReads >= MAX_READS;
    if (life !== (await store.life()) || !isSteady) {
      this.vainReads += 1;
      return this.sync.soon();
    }
    this.vainReads = 0;
    const isAnother = this.storeLife !== undefined && this.storeLife !== life;
    if (!isAnother) await this.forgetLifted(before, stored);
    await effects.adopt(stored, isAnother);
    if (isAnother) await this.restate();
    this.storeLife = life;
  }

  private async storeUnstored(): Promise<void> {
    const { store, bus, events, names } = this.parts;
    for (const record of this.unstored.values()) {
      const outcome = await store.put(record);
      this.settle(record);
      if (typeof outcome !== 'boolean') await this.giveWay(outcome);
      else if (outcome) bus.tell(names.order, record);
      else events.emit('lost', names.loss, 1);
    }
  }

  /** @param before the records of this node before the read: those that are not in the store were lifted meanwhile */
  private async forgetLifted(before: readonly R[], stored: readonly R[]): Promise<void> {
    const { known } = this.parts;
    const present = new Set(stored.map(nameOf));
    for (const record of before) {
      // It may have been replaced during the read.
      const isSame = known.get(record.kind, record.key) === record && !this.isOnItsWay(record);
      if (isSame && !present.has(nameOf(record))) await this.forget(record, 'missing');
    }
  }

  /**
   * The store may have lost records. A record that is missing there was not lifted, as far as anybody knows: one too many
   * is the smaller mistake.
   */
  private async restate(): Promise<void> {
    const { store, bus, events, known, type, names } = this.parts;
    const records = known.active(Date.now());
    // Until they are stored again, they may be missing in the store.
    for (const record of records) if (type.isYielding(record)) this.unshared.add(record);
    const { taken, refused } = await store.restate(records);
    for (const record of records) this.unshared.delete(record);
    if (refused > 0) events.emit('lost', names.loss, refused);
    if (taken > 0) bus.tell(names.restated, {});
  }

  private read(payload: unknown): R {
    const record = this.parts.type.read(payload);
    if (record === undefined) throw new TypeError(`Malformed entry of the list of ${this.parts.type.list}`);
    return record;
  }
}
