import type { Ban, BanStore } from '../../cluster/ports/ban-store.js';
import type { ClusterEvents } from '../../cluster/ports/cluster-events.js';
import type { NodeBus } from '../../cluster/ports/node-bus.js';
import type { BanList } from './ban-list.js';
import { ListSync } from './list-sync.js';

export interface BanSyncParts {
  readonly bus: NodeBus;
  readonly store: BanStore;
  readonly events: ClusterEvents;
  /** What this node knows. */
  readonly known: BanList;
  /** Has a ban of another node hold here. */
  readonly enforce: (ban: Ban) => void;
}

/** Automatic bans on their way to the store at one time; beyond it they hold on this node only. */
const MAX_BEING_SHARED = 100;
/** Bans that wait for the store to come back; beyond it the oldest holds on this node only. */
const MAX_UNSTORED = 1_000;
/** Told by a node that has put something again: whoever has read the list without it reads it once more. */
const RESTATED = 'bans-restated';
/** How often the store is read anew where bans change meanwhile, before what came is taken. */
const MAX_READS = 3;

/** Keeps the bans that this node knows and those of the store together. */
export class BanSync {
  /** An operator's bans, by kind and key. */
  private readonly unstored = new Map<string, Ban>();
  private beingShared = 0;
  /** Bans of breaches that are not in the store, at least not yet: their absence there does not mean that they were lifted. */
  private readonly unshared = new WeakSet<Ban>();
  /** Counts what operators have changed. */
  private changes = 0;
  private storeLife: string | undefined;
  private readonly reconciliation = new ListSync(() => this.reconcile());

  constructor(private readonly parts: BanSyncParts) {
    parts.bus.handle(RESTATED, () => this.reconciliation.soon());
    parts.events.on('rejoined', () => this.reconciliation.soon());
    if (parts.bus.reachesOthers) this.reconciliation.watch(() => this.hasLost());
  }

  /** Reads the store. Resolves when it has been tried. */
  start(): Promise<void> {
    return this.reconciliation.now();
  }

  close(): void {
    this.reconciliation.close();
  }

  /** An operator's ban has come or gone. */
  changed(): void {
    this.changes += 1;
  }

  /** It need not be stored any more. */
  lifted(ban: Pick<Ban, 'kind' | 'key'>): void {
    this.unstored.delete(nameOf(ban));
    this.reconciliation.lifted();
  }

  /** An operator's ban was told by another node. */
  heard(): void {
    this.reconciliation.heard();
  }

  /** Stores and tells an automatic ban, as far as that can be done at once. */
  async share(ban: Ban): Promise<void> {
    const { bus, store, events } = this.parts;
    this.unshared.add(ban);
    if (this.beingShared >= MAX_BEING_SHARED) {
      events.emit('lost', 'ban', 1);
      return;
    }
    this.beingShared += 1;
    bus.tell('ban', ban);
    try {
      await store.put(ban);
      this.unshared.delete(ban);
    } catch {
      events.emit('lost', 'ban', 1);
    }
    this.beingShared -= 1;
  }

  /** Stores an operator's ban, now or later. @throws GatehouseError SERVER_BUSY where it is later */
  async keep(ban: Ban): Promise<void> {
    const { store, events } = this.parts;
    const name = nameOf(ban);
    try {
      await store.put(ban);
      this.unstored.delete(name);
    } catch (error) {
      this.unstored.set(name, ban);
      const [oldest] = this.unstored.keys();
      if (this.unstored.size > MAX_UNSTORED && oldest !== undefined) this.unstored.delete(oldest);
      events.emit('lost', 'ban', 1);
      this.reconciliation.later();
      throw error;
    }
  }

  /** Before it was read for the first time there is nothing to compare. */
  private async hasLost(): Promise<boolean> {
    return this.storeLife !== undefined && (await this.parts.store.life()) !== this.storeLife;
  }

  /** Brings the store and this node together after a time in which words may have been missed. */
  private async reconcile(): Promise<void> {
    const { bus, store, known } = this.parts;
    for (const ban of this.unstored.values()) {
      await this.keep(ban);
      bus.tell('ban', ban);
    }
    for (let reads = 1; reads <= MAX_READS; reads += 1) {
      const changesBefore = this.changes;
      const before = known.all();
      const life = await store.life();
      const stored = await store.list();
      // Another server answers by now: whose list this is, nobody knows.
      if (life !== (await store.life())) continue;
      const isAnother = this.storeLife !== undefined && this.storeLife !== life;
      if (isAnother) await this.restate(before);
      this.storeLife = life;
      const isSteady = changesBefore === this.changes || reads === MAX_READS;
      if (!isAnother && isSteady) return this.adopt(stored, before);
    }
    this.reconciliation.later();
  }

  /**
   * The store may have lost something. What is missing in it was not lifted, or nobody can tell: better a ban that has to be
   * lifted again than one that is gone. For the same reason the longer of two holds.
   */
  private async restate(before: readonly Ban[]): Promise<void> {
    const { store, bus } = this.parts;
    // Until they are stored again, their absence means nothing.
    for (const ban of before) if (ban.by === 'breach') this.unshared.add(ban);
    const taken = await store.restate(before);
    for (const ban of before) this.unshared.delete(ban);
    if (taken > 0) bus.tell(RESTATED, {});
  }

  /** @param before what this node knew before it read the store: what is not in there was lifted meanwhile */
  private adopt(stored: readonly Ban[], before: readonly Ban[]): void {
    const { known, enforce } = this.parts;
    const present = new Set(stored.map(nameOf));
    for (const ban of before) {
      const name = nameOf(ban);
      if (present.has(name) || this.unstored.has(name) || this.unshared.has(ban)) continue;
      // It may have been replaced while the store was read.
      if (known.get(ban.kind, ban.key) === ban) known.lift(ban.kind, ban.key);
    }
    for (const ban of stored) {
      if (known.get(ban.kind, ban.key)?.until !== ban.until) enforce(ban);
    }
  }
}

function nameOf({ kind, key }: Pick<Ban, 'kind' | 'key'>): string {
  return `${kind} ${key}`;
}
