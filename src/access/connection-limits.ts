import { Inject, Injectable } from '@nestjs/common';
import type { Principal } from '../authentication/principal.js';
import { SessionRegistry } from '../sessions/session-registry.js';
import { ACCESS_SETTINGS, type AccessSettings } from './access-settings.js';
import { AddressBook, type AddressRecord } from './address-book.js';
import { Bans } from './bans.js';
import { SharedPlaces, type PlaceOwner, type SharedRefusal } from './shared-places.js';

export type AdmissionRefusal = 'banned' | 'connection_rate' | 'too_many_from_address' | 'at_capacity';

/**
 * How many may connect, how fast, from where. A place is taken before the token is looked at
 * and given back if the upgrade is refused, so that concurrent upgrades cannot pass a limit together.
 */
@Injectable()
export class ConnectionLimits {
  private readonly addresses: AddressBook;
  private taken = 0;
  private pending = 0;

  constructor(
    @Inject(ACCESS_SETTINGS) private readonly settings: AccessSettings,
    private readonly sessions: SessionRegistry,
    private readonly bans: Bans,
    private readonly shared: SharedPlaces,
  ) {
    const { connections, messages } = settings;
    this.addresses = new AddressBook({ connectionRate: connections.ratePerIp, messageRate: messages.ratePerIp });
  }

  /** @param key the address, an IPv6 one cut to its /64 */
  take(key: string): AddressRecord | AdmissionRefusal {
    if (this.bans.isBanned('address', key)) return 'banned';

    const record = this.addresses.of(key, performance.now());
    const refusal = this.refusalOfAddress(record);
    if (refusal !== undefined) {
      this.bans.breach(key, refusal);
      return refusal;
    }
    const { max, maxPendingUpgrades } = this.settings.connections;
    if (exceeds(this.taken, max) || exceeds(this.pending, maxPendingUpgrades)) return 'at_capacity';

    this.taken += 1;
    this.pending += 1;
    this.addresses.addConnection(record);
    return record;
  }

  /** Why no more session of this user may open; undefined: one may. */
  refusalOfUser({ userId }: Principal): 'banned' | 'too_many_of_user' | undefined {
    if (this.bans.isBanned('user', userId)) return 'banned';
    const hasRoom = !exceeds(this.sessions.countOfUser(userId), this.settings.connections.maxPerUser);
    return hasRoom ? undefined : 'too_many_of_user';
  }

  /** Whether other nodes are to be asked for a place as well. */
  get areShared(): boolean {
    return this.shared.isNeeded;
  }

  /** Takes places over all nodes; to be given back by `releaseShared` unless a session comes of it. */
  async takeShared(owner: PlaceOwner): Promise<SharedRefusal | undefined> {
    const refusal = await this.shared.take(owner);
    if (refusal === 'too_many_from_address') this.bans.breach(owner.limitKey, refusal);
    return refusal;
  }

  /** The upgrade was refused after all. A session gives them back by itself when it closes. */
  releaseShared(owner: PlaceOwner): void {
    this.shared.release(owner);
  }

  /** The upgrade that took a place is decided, one way or the other. */
  decided(): void {
    this.pending -= 1;
  }

  /** Gives the place back: the connection has closed, or was refused after all. */
  release(record: AddressRecord): void {
    this.taken -= 1;
    this.addresses.removeConnection(record, performance.now());
  }

  private refusalOfAddress(record: AddressRecord): AdmissionRefusal | undefined {
    if (record.connectionBucket && record.connectionBucket.take(performance.now()) > 0) return 'connection_rate';
    if (exceeds(record.connections, this.settings.connections.maxPerIp)) return 'too_many_from_address';
    return undefined;
  }
}

/** Whether one more would break the limit; zero means there is none. */
function exceeds(count: number, limit: number): boolean {
  return limit > 0 && count >= limit;
}
