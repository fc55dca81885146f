import { Inject, Injectable } from '@nestjs/common';
import { Settings } from '../../../config/settings.js';
import type { Principal } from '../../authentication/principal.js';
import type { Ban } from '../../cluster/ports/ban-store.js';
import { SessionRegistry } from '../../sessions/session-registry.js';
import type { AccessSettings } from '../access-settings.js';
import { AddressBook, AddressRecord } from './address-book.js';
import type { Origin } from './address-key.js';
import { Bans } from '../lists/bans.js';
import { PlaceCheck } from './place-check.js';
import { Reconnects } from './reconnects.js';
import { ClusterConnectionLimits, type PlaceOwner, type SharedRefusal } from './cluster-connection-limits.js';

export type AdmissionRefusal = 'banned' | 'connection_rate' | 'too_many_from_address' | 'at_capacity';

/**
 * Token checks that continue for clients that have left. Each holds little more than a token, and an issuer is asked
 * once for many. Without a bound, clients that come and go could fill the memory while an issuer is slow.
 */
const MAX_ABANDONED = 10_000;

/**
 * Limits the number and rate of connections. A place is taken before the token is checked, and given back if the
 * upgrade is refused, so that concurrent upgrades cannot exceed a limit together.
 */
@Injectable()
export class ConnectionLimits {
  private readonly addresses: AddressBook;
  private taken = 0;
  private pending = 0;
  private abandoned = 0;

  constructor(
    @Inject(Settings) private readonly settings: AccessSettings,
    private readonly sessions: SessionRegistry,
    private readonly bans: Bans,
    private readonly shared: ClusterConnectionLimits,
    private readonly placeCheck: PlaceCheck,
    private readonly reconnects: Reconnects,
  ) {
    const { connections, messages } = settings;
    this.addresses = new AddressBook({ connectionRate: connections.ratePerIp, messageRate: messages.ratePerIp });
  }

  take(origin: Origin): AddressRecord | AdmissionRefusal {
    const record = this.admit(origin);
    if (typeof record === 'string') return record;
    const { max, maxPendingUpgrades } = this.settings.connections;
    if (exceeds(this.taken, max) || exceeds(this.pending, maxPendingUpgrades)) return 'at_capacity';
    if (exceeds(this.abandoned, MAX_ABANDONED)) return 'at_capacity';

    this.taken += 1;
    this.pending += 1;
    if (!record.isExempt) this.addresses.addConnection(record);
    return record;
  }

  /** A session keeps sending over its rate, so its address is banned. Returns the ban, if any. */
  abused({ key, isBannable }: AddressRecord): Ban | undefined {
    if (!isBannable) return undefined;
    this.bans.breach(key, 'message_rate');
    return this.bans.inForce('address', key);
  }

  /** The ban that applies to a client, if any. */
  banOf({ limitKey, isProxy }: Origin, principal?: Principal): Ban | undefined {
    const ofAddress = this.bans.inForce('address', limitKey);
    if (ofAddress !== undefined && !(isProxy && ofAddress.by === 'breach')) return ofAddress;
    return principal && this.bans.inForce('user', principal.userId);
  }

  /** The limit that prevents another session of this user. Undefined: there is room. */
  refusalOfUser(principal: Principal): 'banned' | 'too_many_of_user' | undefined {
    if (this.bans.keepsOut(principal)) return 'banned';
    const hasRoom = !exceeds(this.sessions.countOfUser(principal.userId), this.settings.connections.maxPerUser);
    return hasRoom ? undefined : 'too_many_of_user';
  }

  /** Upgrades in progress. */
  get undecided(): number {
    return this.pending;
  }

  /** Whether other nodes must be asked for a place as well. */
  get areShared(): boolean {
    return this.shared.isNeeded;
  }

  /** Takes places over all nodes. Give them back by `releaseShared`, unless a session opens. */
  async takeShared(owner: PlaceOwner, { isBannable }: AddressRecord): Promise<SharedRefusal | undefined> {
    const refusal = await this.shared.take(owner);
    const isSuspect = refusal === 'too_many_from_address' && isBannable;
    if (isSuspect && owner.limitKey !== undefined) this.placeCheck.suspect(owner.limitKey);
    return refusal;
  }

  /** The upgrade was refused after all. A session gives its places back itself when it closes. */
  releaseShared(owner: PlaceOwner): void {
    this.shared.release(owner);
  }

  /** The upgrade that took a place is decided. */
  decided(): void {
    this.pending -= 1;
  }

  /** A check goes on for a client that has left, or that was refused because the check took too long. */
  abandon(check: Promise<unknown>): void {
    this.abandoned += 1;
    const uncount = (): number => (this.abandoned -= 1);
    check.then(
      () => uncount(),
      () => uncount(),
    );
  }

  /** Gives the place back: the connection has closed, or was refused after all. */
  release(record: AddressRecord): void {
    this.taken -= 1;
    if (!record.isExempt) this.addresses.removeConnection(record, performance.now());
  }

  /** Number of addresses that were forgotten too early because there were too many. */
  get dropped(): number {
    return this.addresses.dropped;
  }

  private admit({ address, limitKey, isProxy }: Origin): AddressRecord | AdmissionRefusal {
    const isExempt = this.placeCheck.exempt.has(address);
    if (!isExempt && !isProxy) return this.admitClient(limitKey);
    if (this.bans.isBannedByOperator('address', limitKey)) return 'banned';
    if (isExempt) return AddressRecord.exempt(limitKey);
    const record = this.addresses.ofProxy(limitKey);
    return this.refusalOfAddress(record, limitKey) ?? record;
  }

  private admitClient(limitKey: string): AddressRecord | AdmissionRefusal {
    if (this.bans.isBanned('address', limitKey)) return 'banned';
    const record = this.addresses.of(limitKey);
    const refusal = this.refusalOfAddress(record, limitKey);
    if (refusal === undefined) return record;
    if (refusal === 'too_many_from_address') this.placeCheck.suspect(limitKey);
    else this.reconnects.overRate(limitKey);
    return refusal;
  }

  private refusalOfAddress(
    { connectionBucket, connections }: AddressRecord,
    limitKey: string,
  ): 'connection_rate' | 'too_many_from_address' | undefined {
    const now = performance.now();
    if (!this.bans.spares(limitKey) && connectionBucket && connectionBucket.take(now) > 0) return 'connection_rate';
    return exceeds(connections, this.settings.connections.maxPerIp) ? 'too_many_from_address' : undefined;
  }
}

/** Whether one more would break the limit. 0 means no limit. */
function exceeds(count: number, limit: number): boolean {
  return limit > 0 && count >= limit;
}
