import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Settings } from '../../../config/settings.js';
import type { Principal } from '../../authentication/principal.js';
import { BANS, BanStore, type Ban } from '../../cluster/ports/ban-store.js';
import { ClusterEvents } from '../../cluster/ports/cluster-events.js';
import { giverOf, isAbove, readGiver, type GivenOrder } from '../../cluster/ports/given-order.js';
import { NodeBus, sumOf } from '../../cluster/ports/node-bus.js';
import { AccessEvents } from '../access-events.js';
import type { AccessSettings } from '../access-settings.js';
import { BanList } from './ban-list.js';
import { ReplicatedList } from './replicated-list.js';
import { clientAddress, isLoopbackKey } from '../limits/address-key.js';
import { SessionTermination } from '../session-termination.js';
import { BanEscalation } from '../limits/ban-escalation.js';
import { reaches, throwIfForbidden } from './standing.js';

/** Whom to ban, and for how long. */
export interface BanOrder extends GivenOrder {
  readonly kind: Ban['kind'];
  /** An address (for IPv6 its whole /64 is banned), or a user id. */
  readonly key: string;
  readonly durationMs: number;
  /** For operators; clients do not see it. */
  readonly reason: string;
}

/** Why an address is banned automatically. */
export const BREACH_REASONS = ['connection_rate', 'too_many_from_address', 'message_rate'] as const;
export type BreachReason = (typeof BREACH_REASONS)[number];

/** Bans of addresses and users, over all nodes: automatic ones for broken limits, and those of operators. */
@Injectable()
export class Bans implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly known = new BanList();
  private readonly offences: BanEscalation;
  private readonly shared: ReplicatedList<Ban>;
  private readonly areBreachesBanned: boolean;
  private readonly isLoopbackSpared: boolean;

  constructor(
    @Inject(Settings) { connections }: AccessSettings,
    private readonly bus: NodeBus,
    store: BanStore,
    cluster: ClusterEvents,
    private readonly events: AccessEvents,
    private readonly termination: SessionTermination,
  ) {
    const { banDurationMs, banMaxDurationMs, exemptLoopback } = connections;
    this.isLoopbackSpared = exemptLoopback === 'on';
    this.areBreachesBanned = banDurationMs > 0;
    this.offences = new BanEscalation(banDurationMs, banMaxDurationMs);
    this.shared = new ReplicatedList<Ban>({
      type: BANS,
      names: { order: 'ban', lift: 'lift-ban', restated: 'bans-restated', loss: 'ban' },
      bus,
      store,
      events: cluster,
      known: this.known,
      effects: {
        enforce: (ban) => this.enforce(ban),
        adopt: (stored, mayBeOlder) => this.adopt(stored, mayBeOlder),
        released: ({ kind, key }, why) => why === 'lifted' && kind === 'address' && this.offences.forget(key),
      },
    });
  }

  /** Runs before the server listens, so that no banned client comes in first. The server also starts without Redis. */
  async onApplicationBootstrap(): Promise<void> {
    await this.shared.start();
  }

  onApplicationShutdown(): void {
    this.shared.close();
  }

  /**
   * Bans, and ends the open sessions of a banned user with 4409. Sessions of a banned address stay open. Replaces a ban
   * of the same kind and key.
   *
   * @returns how many sessions ended, over all nodes
   * @throws GatehouseError SERVER_BUSY if Redis cannot be reached: the ban applies on this node, and on all nodes
   *   when Redis is back. FORBIDDEN if someone above the giver has banned it: that ban stays
   * @throws RangeError if durationMs is not a positive integer
   */
  async ban({ durationMs, reason, ...order }: BanOrder): Promise<number> {
    const until = Date.now() + durationMs;
    const ban: Ban = { ...target(order), until, reason, by: 'operator', ...readGiver(order) };
    if (durationMs <= 0 || !Number.isSafeInteger(ban.until))
      throw new RangeError('durationMs must be a positive integer');
    const here = this.enforce(ban);
    // Stored before it is told: whoever looks there for what it was told must find it.
    const keeping = this.shared.keep(ban);
    await keeping.catch(throwIfForbidden);
    this.events.emit('banned', ban);
    const there = await this.bus.ask<number>('ban', ban);
    await keeping;
    return here + sumOf(there);
  }

  /**
   * Lifts a ban. For an address, its offences are forgotten too.
   *
   * @param given nodes keep a ban that someone above the giver made
   * @returns whether there was such a ban
   * @throws GatehouseError SERVER_BUSY if Redis cannot be reached, FORBIDDEN if someone above the giver made the ban;
   *   then nothing is lifted
   */
  async lift(kind: Ban['kind'], key: string, given: GivenOrder = {}): Promise<boolean> {
    const lifted: Ban = { ...target({ kind, key }), until: 0, reason: '', by: 'operator', ...readGiver(given) };
    const wasThere = await this.shared.lift(lifted);
    if (wasThere) this.events.emit('lifted', lifted);
    return wasThere;
  }

  /** The bans in force: those of all nodes, and whatever else this node enforces. While Redis is away, only the latter. */
  list(): Promise<readonly Ban[]> {
    return this.shared.list();
  }

  /**
   * Bans an address that broke a limit, for twice as long as the last time if that was recent. A banned address is not
   * banned again, because one breach often involves several connections.
   *
   * @param address an IPv6 address cut to its /64
   */
  breach(address: string, reason: BreachReason): void {
    const now = Date.now();
    if (!this.areBreachesBanned || this.spares(address) || this.known.inForce('address', address, now)) return;
    const { count, durationMs } = this.offences.next(address, now);
    const ban: Ban = { kind: 'address', key: address, until: now + durationMs, reason, by: 'breach', offences: count };
    this.enforce(ban);
    this.events.emit('banned', ban);
    void this.shared.share(ban);
  }

  /** The ban in force for an address (for IPv6 its /64) or a user. Undefined if there is none. */
  inForce(kind: Ban['kind'], key: string): Ban | undefined {
    const ban = this.known.inForce(kind, key, Date.now());
    // Another node, or an earlier run of this one, may have banned it.
    return ban?.by === 'breach' && this.spares(key) ? undefined : ban;
  }

  isBanned(kind: Ban['kind'], key: string): boolean {
    return this.inForce(kind, key) !== undefined;
  }

  /** Whether an address is exempt from automatic bans: clients of the same machine during development. */
  spares(limitKey: string): boolean {
    return this.isLoopbackSpared && isLoopbackKey(limitKey);
  }

  /** Whether a ban applies to the user: a ban by a SERVICE does not apply to an ADMIN. */
  keepsOut(principal: Principal): boolean {
    const ban = this.known.inForce('user', principal.userId, Date.now());
    return ban !== undefined && reaches(ban, principal);
  }

  /** The ban in force that this node knows. An address is looked up as it is listed. */
  get(kind: Ban['kind'], key: string): Ban | undefined {
    return this.known.inForce(kind, target({ kind, key }).key, Date.now());
  }

  /** The ban in force, also if this node has not heard of it. */
  async find(kind: Ban['kind'], key: string): Promise<Ban | undefined> {
    return (await this.list()).find((ban) => ban.kind === kind && ban.key === key);
  }

  /** Whether an operator made it. Such bans apply to exempt addresses, too. */
  isBannedByOperator(kind: Ban['kind'], key: string): boolean {
    return this.known.inForce(kind, key, Date.now())?.by === 'operator';
  }

  /** Number of bans in force on this node. */
  get activeCount(): number {
    return this.known.active(Date.now()).length;
  }

  /** Counts the orders of operators and their lifts on this node. */
  get changes(): number {
    return this.known.changes;
  }

  /** The orders of operators that this node enforces. */
  ordered(): readonly Ban[] {
    return this.known.ordered(Date.now());
  }

  /** Number of automatic bans and offences that were forgotten early because there were too many. */
  get dropped(): { readonly ban: number; readonly offence: number } {
    return { ban: this.known.dropped, offence: this.offences.dropped };
  }

  private enforce(ban: Ban): number {
    const now = Date.now();
    const { kind, key, until, by, offences = 1 } = ban;
    if (by === 'operator') this.shared.changed();
    else this.offences.remember(key, offences, { now, until });
    this.known.put(ban, now);
    return kind === 'user' ? this.termination.userHere(key, undefined, ban) : 0;
  }

  /** The longer of two bans holds where the store may have lost something: it is restated. */
  private adopt(stored: readonly Ban[], mayBeOlder: boolean): void {
    for (const ban of stored) {
      const present = this.known.get(ban.kind, ban.key);
      const prevails =
        present?.by === 'operator' && present.until > ban.until && !isAbove(giverOf(ban), giverOf(present));
      if (present?.until !== ban.until && !(mayBeOlder && prevails)) this.enforce(ban);
    }
  }
}

function target({ kind, key }: Pick<Ban, 'kind' | 'key'>): Pick<Ban, 'kind' | 'key'> {
  return { kind, key: kind === 'address' ? clientAddress(key).limitKey : key };
}
