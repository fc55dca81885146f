import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Settings } from '../../../config/settings.js';
import type { Principal } from '../../authentication/principal.js';
import { BANS, BanStore, type Ban } from '../../cluster/ports/ban-store.js';
import { ClusterEvents } from '../../cluster/ports/cluster-events.js';
import { readGiver, type GivenOrder } from '../../cluster/ports/given-order.js';
import { NodeBus, sumOf } from '../../cluster/ports/node-bus.js';
import { AccessEvents } from '../access-events.js';
import type { AccessSettings } from '../access-settings.js';
import { BanList } from './ban-list.js';
import { ReplicatedList } from './replicated-list.js';
import { clientAddress, isLoopbackKey } from '../limits/address-key.js';
import { SessionTermination } from '../session-termination.js';
import { BanEscalation } from '../limits/ban-escalation.js';
import { reaches } from './standing.js';

/** Whom to ban, and for how long. */
export interface BanOrder extends GivenOrder {
  readonly kind: Ban['kind'];
  /** An address (of IPv6 its whole /64 is banned), or a user id. */
  readonly key: string;
  readonly durationMs: number;
  /** For operators; clients do not read it. */
  readonly reason: string;
}

/** What an address is banned for without an operator's word. */
export const BREACH_REASONS = ['connection_rate', 'too_many_from_address', 'message_rate'] as const;
export type BreachReason = (typeof BREACH_REASONS)[number];

/** Who may not connect, on any node: addresses that broke a limit, and whom an operator has banned. */
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

  /** Before the server listens, so that nobody who is banned comes in first. Where Redis is away it serves all the same. */
  async onApplicationBootstrap(): Promise<void> {
    await this.shared.start();
  }

  onApplicationShutdown(): void {
    this.shared.close();
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
    const until = Date.now() + durationMs;
    const ban: Ban = { ...target(order), until, reason, by: 'operator', ...readGiver(order) };
    if (durationMs <= 0 || !Number.isSafeInteger(ban.until))
      throw new RangeError('durationMs must be a positive integer');
    const here = this.enforce(ban);
    this.events.emit('banned', ban);
    // Stored before it is told: whoever looks there for what it was told must find it.
    const keeping = this.shared.keep(ban);
    await keeping.catch(() => {});
    const there = await this.bus.ask<number>('ban', ban);
    await keeping;
    return here + sumOf(there);
  }

  /**
   * Of an address that broke limits the offences are forgotten, too.
   *
   * @param given nodes that know a ban of somebody above the giver keep it
   * @returns whether there was such a ban
   * @throws GatehouseError SERVER_BUSY when Redis cannot be reached: then nothing is lifted
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
   * An address broke a limit, and is banned for it: twice as long as the time before, if that is not long ago. One that is
   * banned already is not banned again, for whoever breaks a limit often breaks it with several connections at once.
   *
   * @param address an IPv6 one cut to its /64
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

  /** The ban in force for an address (of IPv6 its /64) or a user; undefined: there is none. */
  inForce(kind: Ban['kind'], key: string): Ban | undefined {
    const ban = this.known.inForce(kind, key, Date.now());
    // Another node, or one that ran here before, may have banned it.
    return ban?.by === 'breach' && this.spares(key) ? undefined : ban;
  }

  isBanned(kind: Ban['kind'], key: string): boolean {
    return this.inForce(kind, key) !== undefined;
  }

  /** Whether an address is not banned for what it does: clients of the same machine during development. */
  spares(limitKey: string): boolean {
    return this.isLoopbackSpared && isLoopbackKey(limitKey);
  }

  /** Whether the user is banned by somebody who may: a ban by a SERVICE does not keep an ADMIN out. */
  keepsOut(principal: Principal): boolean {
    const ban = this.known.inForce('user', principal.userId, Date.now());
    return ban !== undefined && reaches(ban, principal);
  }

  /** The ban in force that this node knows. An address is looked up as it is listed. */
  get(kind: Ban['kind'], key: string): Ban | undefined {
    return this.known.inForce(kind, target({ kind, key }).key, Date.now());
  }

  /** Whether an operator did it: that holds for exempt addresses, too. */
  isBannedByOperator(kind: Ban['kind'], key: string): boolean {
    return this.known.inForce(kind, key, Date.now())?.by === 'operator';
  }

  /** How many bans this node knows that are in force. */
  get activeCount(): number {
    return this.known.active(Date.now()).length;
  }

  /** Automatic bans, and offences, that were forgotten before their time, for there were too many. */
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
      const isLonger = present?.by === 'operator' && present.until > ban.until;
      if (present?.until !== ban.until && !(mayBeOlder && isLonger)) this.enforce(ban);
    }
  }
}

function target({ kind, key }: Pick<Ban, 'kind' | 'key'>): Pick<Ban, 'kind' | 'key'> {
  return { kind, key: kind === 'address' ? clientAddress(key).limitKey : key };
}
