import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Settings } from '../../../config/settings.js';
import type { Principal } from '../../authentication/principal.js';
import { ClusterEvents } from '../../cluster/ports/cluster-events.js';
import { NodeBus } from '../../cluster/ports/node-bus.js';
import { SharedCounts, type CountKind } from '../../cluster/ports/shared-counts.js';
import { SessionEvents } from '../../sessions/session-events.js';
import type { Session } from '../../sessions/session.js';
import type { AccessSettings } from '../access-settings.js';
import { clientAddress } from './address-key.js';
import { ExemptAddresses } from './exempt-addresses.js';

export interface PlaceOwner {
  readonly sessionId: string;
  /** Its address, an IPv6 one cut to its /64. Undefined if the address is exempt. */
  readonly limitKey: string | undefined;
  readonly principal: Pick<Principal, 'userId' | 'anonymous'>;
}

export type SharedRefusal = 'too_many_from_address' | 'too_many_of_user';

interface Place {
  readonly kind: CountKind;
  readonly key: string;
  readonly limit: number;
  readonly refusal: SharedRefusal;
}

/** Connections that are counted late at one time, when Redis is back. */
const BATCH = 100;
const RETRY_MS = 1_000;

/**
 * The places that connections take over all nodes. Places of users are counted even without a limit, because they also
 * tell which nodes a user is on. While Redis cannot be reached, the limits of each node apply, and accepted clients are
 * counted later.
 */
@Injectable()
export class ClusterConnectionLimits implements OnApplicationShutdown {
  /** False on a single node, where the node's own limits are enough. */
  readonly isNeeded: boolean;
  private readonly logger = new Logger('SharedPlaces');
  /** Clients that were accepted without Redis, by session id. */
  private readonly uncounted = new Map<string, readonly Place[]>();
  /** Set while connections wait to be counted. */
  private retry: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(
    @Inject(Settings) private readonly settings: AccessSettings,
    bus: NodeBus,
    private readonly counts: SharedCounts,
    private readonly events: ClusterEvents,
    sessions: SessionEvents,
    private readonly exempt: ExemptAddresses,
  ) {
    this.isNeeded = bus.reachesOthers;
    if (this.isNeeded) sessions.on('closed', (session) => this.release(this.ownerOf(session)));
  }

  onApplicationShutdown(): void {
    this.isClosed = true;
    clearTimeout(this.retry);
  }

  /** Takes the places of a connection, all or none. Returns the limit that it would break. */
  async take(owner: PlaceOwner): Promise<SharedRefusal | undefined> {
    const places = this.placesOf(owner);
    const outcomes = await Promise.all(places.map(async (place) => ({ place, result: await this.takeOne(place) })));
    const isAway = outcomes.some(({ result }) => result === 'away');
    const refused = outcomes.find(({ result }) => result === 'full');
    if (refused === undefined && !isAway) return undefined;

    for (const { place, result } of outcomes) if (result === 'taken') this.counts.release(place.kind, place.key);
    if (refused) return refused.place.refusal;
    this.uncounted.set(owner.sessionId, places);
    this.noteAway();
    return undefined;
  }

  /** Gives the places back: the connection has closed, or was refused after all. */
  release(owner: PlaceOwner): void {
    // Nothing was counted for it.
    if (this.uncounted.delete(owner.sessionId)) return;
    for (const { kind, key } of this.placesOf(owner)) this.counts.release(kind, key);
  }

  private placesOf({ limitKey, principal }: PlaceOwner): readonly Place[] {
    const { maxPerIp, maxPerUser } = this.settings.connections;
    const places: Place[] = [];
    if (maxPerIp > 0 && limitKey !== undefined)
      places.push({ kind: 'address', key: limitKey, limit: maxPerIp, refusal: 'too_many_from_address' });
    if (!principal.anonymous)
      places.push({ kind: 'user', key: principal.userId, limit: maxPerUser, refusal: 'too_many_of_user' });
    return places;
  }

  private async takeOne({ kind, key, limit }: Place): Promise<'taken' | 'full' | 'away'> {
    try {
      return (await this.counts.take(kind, key, limit)) ? 'taken' : 'full';
    } catch {
      return 'away';
    }
  }

  private noteAway(): void {
    this.events.emit('lost', 'place', 1);
    if (this.retry !== undefined) return;
    this.logger.warn('cannot reach Redis: connection limits apply to each node separately');
    this.countLater();
  }

  private countLater(): void {
    if (this.isClosed) return;
    this.retry = setTimeout(() => void this.countBelatedly(), RETRY_MS).unref();
  }

  /** Admission is never revoked here, so this counts without a limit. */
  private async countBelatedly(): Promise<void> {
    while (this.uncounted.size > 0) {
      const batch = [...this.uncounted].slice(0, BATCH);
      const counted = await Promise.all(batch.map((entry) => this.countOne(...entry)));
      if (counted.includes(false)) return this.countLater();
    }
    this.retry = undefined;
  }

  /** Returns false if Redis still cannot be reached. */
  private async countOne(sessionId: string, places: readonly Place[]): Promise<boolean> {
    const results = await Promise.all(places.map((place) => this.takeOne({ ...place, limit: 0 })));
    const isCounted = !results.includes('away');
    // It may have closed meanwhile.
    if (isCounted && this.uncounted.delete(sessionId)) return true;
    places.forEach(({ kind, key }, index) => {
      if (results[index] === 'taken') this.counts.release(kind, key);
    });
    return isCounted;
  }

  private ownerOf({ id, address, principal }: Session): PlaceOwner {
    const limitKey = this.exempt.has(address) ? undefined : clientAddress(address).limitKey;
    return { sessionId: id, limitKey, principal };
  }
}
