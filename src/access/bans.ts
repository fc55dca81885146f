import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { BAN_STORE, banOf, type Ban, type BanStore } from '../cluster/ban-store.js';
import { ClusterEvents } from '../cluster/cluster-events.js';
import { NODE_BUS, sumOf, type NodeBus } from '../cluster/node-bus.js';
import { inPortions } from '../cluster/portions.js';
import { ACCESS_SETTINGS, type AccessSettings } from './access-settings.js';
import { BanList } from './ban-list.js';
import { clientAddress } from './address-key.js';
import { Expulsion } from './expulsion.js';

export interface BanOrder {
  readonly kind: Ban['kind'];
  /** An address (of IPv6 its whole /64 is banned), or a user id. */
  readonly key: string;
  readonly durationMs: number;
  /** For operators; clients do not read it. */
  readonly reason: string;
}

/** Automatic bans on their way to the store at one time; beyond it they hold on this node only. */
const MAX_BEING_SHARED = 100;
/** Bans that wait for the store to come back; beyond it the oldest holds on this node only. */
const MAX_UNSTORED = 1_000;
/** How often the store is read anew where bans change meanwhile, before what came is taken. */
const MAX_READS = 3;
const RETRY_MS = 1_000;
/** One return of Redis shows in several ways, a moment apart: the list is read once. */
const SETTLE_MS = 50;

/** Who may not connect, on any node: addresses that broke a limit, and whom an operator has banned. */
@Injectable()
export class Bans implements OnApplicationShutdown {
  private readonly known: BanList;
  private readonly durationMs: number;
  /** By kind and key. */
  private readonly unstored = new Map<string, Ban>();
  private beingShared = 0;
  /** Counts what has changed in the bans that last. */
  private changes = 0;
  private storeLife: string | undefined;
  private retry: NodeJS.Timeout | undefined;
  /** The list is read by one after the other. */
  private turn: Promise<void> = Promise.resolve();
  private isClosed = false;

  constructor(
    @Inject(ACCESS_SETTINGS) { connections }: AccessSettings,
    @Inject(NODE_BUS) private readonly bus: NodeBus,
    @Inject(BAN_STORE) private readonly store: BanStore,
    private readonly events: ClusterEvents,
    private readonly expulsion: Expulsion,
  ) {
    this.durationMs = connections.banDurationMs;
    this.known = new BanList(connections.banDurationMs);
    bus.handle('ban', (payload) => this.enforce(heard(payload)));
    bus.handle('lift-ban', (payload) => this.forget(heard(payload)));
    events.on('rejoined', () => this.refreshIn(SETTLE_MS));
  }

  onApplicationShutdown(): void {
    this.isClosed = true;
    clearTimeout(this.retry);
  }

  /**
   * Bans, and ends the open sessions of a banned user with 4409. Those of a banned address stay open. The same kind and
   * key again replaces the ban.
   *
   * @returns how many sessions ended, over all nodes
   * @throws GatehouseError SERVER_BUSY when Redis cannot be reached: the ban holds on this node, and everywhere once Redis is back
   * @throws RangeError for a duration that is none
   */
  async ban({ durationMs, reason, ...order }: BanOrder): Promise<number> {
    const ban: Ban = { ...target(order), until: Date.now() + durationMs, reason };
    if (durationMs <= 0 || !Number.isSafeInteger(ban.until)) throw new RangeError('A ban lasts whole milliseconds');
    const here = this.enforce(ban);
    const [there] = await Promise.all([this.bus.ask<number>('ban', ban), this.keep(ban)]);
    return here + sumOf(there);
  }

  /**
   * @returns whether there was such a ban
   * @throws GatehouseError SERVER_BUSY when Redis cannot be reached: then nothing is lifted
   */
  async lift(kind: Ban['kind'], key: string): Promise<boolean> {
    const lifted = { ...target({ kind, key }), until: 0, reason: '' };
    const wasStored = await this.store.lift(lifted.kind, lifted.key);
    const wasKnown = this.forget(lifted);
    this.bus.tell('lift-ban', lifted);
    return wasStored || wasKnown;
  }

  /** The bans in force, over all nodes; where Redis is away, those that this node knows. */
  async list(): Promise<readonly Ban[]> {
    const now = Date.now();
    try {
      return (await this.store.list()).filter(({ until }) => until > now);
    } catch {
      return this.known.active(now);
    }
  }

  /** An address broke a limit. @param address an IPv6 one cut to its /64 */
  breach(address: string, reason: string): void {
    if (this.durationMs === 0) return;
    const ban: Ban = { kind: 'address', key: address, until: Date.now() + this.durationMs, reason };
    this.enforce(ban);
    void this.share(ban);
  }

  isBanned(kind: Ban['kind'], key: string): boolean {
    return this.known.isBanned(kind, key, Date.now());
  }

  /** How many bans this node knows that are in force. */
  get activeCount(): number {
    return this.known.active(Date.now()).length;
  }

  private enforce(ban: Ban): number {
    const now = Date.now();
    if (ban.until - now > this.durationMs) this.changes += 1;
    this.known.put(ban, now);
    return ban.kind === 'user' ? this.expulsion.userHere(ban.key) : 0;
  }

  private forget({ kind, key }: Pick<Ban, 'kind' | 'key'>): boolean {
    this.changes += 1;
    this.unstored.delete(`${kind} ${key}`);
    return this.known.lift(kind, key);
  }

  private async share(ban: Ban): Promise<void> {
    if (this.beingShared >= MAX_BEING_SHARED) {
      this.events.emit('lost', 'ban', 1);
      return;
    }
    this.beingShared += 1;
    this.bus.tell('ban', ban);
    await this.store.put(ban).catch(() => this.events.emit('lost', 'ban', 1));
    this.beingShared -= 1;
  }

  private async keep(ban: Ban): Promise<void> {
    try {
      await this.store.put(ban);
      this.unstored.delete(`${ban.kind} ${ban.key}`);
    } catch (error) {
      this.unstored.set(`${ban.kind} ${ban.key}`, ban);
      const [oldest] = this.unstored.keys();
      if (this.unstored.size > MAX_UNSTORED && oldest !== undefined) this.unstored.delete(oldest);
      this.events.emit('lost', 'ban', 1);
      this.refreshIn(RETRY_MS);
      throw error;
    }
  }

  /** Brings the store and this node together after a time in which words may have been missed. */
  private async refresh(): Promise<void> {
    try {
      for (const ban of this.unstored.values()) {
        await this.keep(ban);
        this.bus.tell('ban', ban);
      }
      for (let reads = 1; reads <= MAX_READS; reads += 1) {
        const before = this.changes;
        const lasting = this.known.lastingOnes();
        const life = await this.store.life();
        const stored = await this.store.list();
        // Another server answers by now: whose list this is, nobody knows.
        if (life !== (await this.store.life())) continue;
        const isAnother = this.storeLife !== undefined && this.storeLife !== life;
        if (isAnother) await this.putAgain(lasting, stored);
        this.storeLife = life;
        if (!isAnother && (before === this.changes || reads === MAX_READS)) return this.adopt(stored, lasting);
      }
      this.refreshIn(RETRY_MS);
    } catch {
      this.refreshIn(RETRY_MS);
    }
  }

  /**
   * Redis may have come back with an older state. What is missing in it was not lifted, or nobody can tell: better a ban
   * that has to be lifted again than one that is gone. For the same reason the longer of two holds.
   */
  private async putAgain(lasting: readonly Ban[], stored: readonly Ban[]): Promise<void> {
    const now = Date.now();
    const until = new Map(stored.map((ban) => [`${ban.kind} ${ban.key}`, ban.until]));
    const lost = lasting.filter((ban) => ban.until > Math.max(now, until.get(`${ban.kind} ${ban.key}`) ?? 0));
    await inPortions(lost, MAX_BEING_SHARED, async (ban) => {
      await this.store.put(ban);
      // For who has read the list without it.
      this.bus.tell('ban', ban);
    });
  }

  private refreshIn(delayMs: number): void {
    if (this.isClosed) return;
    clearTimeout(this.retry);
    this.retry = setTimeout(() => void (this.turn = this.turn.then(() => this.refresh())), delayMs).unref();
  }

  /** @param lasting what this node knew before it read the store: what is not in there was lifted meanwhile */
  private adopt(stored: readonly Ban[], lasting: readonly Ban[]): void {
    const present = new Set(stored.map(({ kind, key }) => `${kind} ${key}`));
    for (const { kind, key } of lasting) {
      const text = `${kind} ${key}`;
      if (!present.has(text) && !this.unstored.has(text)) this.known.lift(kind, key);
    }
    for (const ban of stored) {
      if (this.known.get(ban.kind, ban.key)?.until !== ban.until) this.enforce(ban);
    }
  }
}

function target({ kind, key }: Pick<Ban, 'kind' | 'key'>): Pick<Ban, 'kind' | 'key'> {
  return { kind, key: kind === 'address' ? clientAddress(key).limitKey : key };
}

function heard(payload: unknown): Ban {
  const ban = banOf(payload);
  if (ban === undefined) throw new TypeError('No ban');
  return ban;
}
