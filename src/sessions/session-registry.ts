import { Injectable } from '@nestjs/common';
import { hasSameRights, type Principal } from '../authentication/principal.js';
import { ExpirySweep } from './expiry-sweep.js';
import { RightsReview } from './rights-review.js';
import { SessionEvents } from './session-events.js';
import { SessionIndex } from './session-index.js';
import type { Session, SessionId } from './session.js';

/** A growing Map is copied as a whole. Sixty-four small ones are copied one at a time, so no turn takes long. */
const SHARDS = 64;

/** Every session of this node, found by id, by user and by address. */
@Injectable()
export class SessionRegistry implements Iterable<Session> {
  private readonly shards = Array.from({ length: SHARDS }, () => new Map<SessionId, Session>());
  private readonly byUser = new SessionIndex();
  private readonly byAddress = new SessionIndex();
  private count = 0;

  constructor(
    readonly events: SessionEvents,
    private readonly expiry: ExpirySweep,
    private readonly review: RightsReview,
  ) {}

  /** Number of open sessions. */
  get size(): number {
    return this.count;
  }

  /** Number of signed-in users with an open session. */
  get users(): number {
    return this.byUser.size;
  }

  /** Adds the session of an accepted connection. */
  add(session: Session): void {
    this.shardOf(session.id).set(session.id, session);
    if (!session.principal.anonymous) this.byUser.add(session.userId, session);
    this.byAddress.add(session.address, session);
    this.expiry.watch(session);
    this.count += 1;
    this.events.emit('opened', session);
  }

  /** Removes a session whose connection has closed. */
  remove(session: Session, code: number, reason: string): void {
    if (!this.shardOf(session.id).delete(session.id)) return;
    this.byUser.remove(session.userId, session);
    this.byAddress.remove(session.address, session);
    this.expiry.forget(session);
    this.count -= 1;
    this.events.emit('closed', session, code, reason);
  }

  /**
   * Gives a session a new principal of the same user, at once.
   *
   * @returns how many subscriptions it lost, after all of them were checked
   */
  async renew(session: Session, principal: Principal): Promise<number> {
    // It may have closed while its new token was being checked.
    if (this.get(session.id) !== session) return 0;
    this.expiry.forget(session);
    const former = session.principal;
    session.principal = principal;
    this.expiry.watch(session);
    this.events.emit('renewed', session, former);
    return hasSameRights(former, principal) ? 0 : this.review.of(session);
  }

  get(id: string): Session | undefined {
    return this.shardOf(id).get(id as SessionId);
  }

  /** The sessions of a signed-in user. */
  ofUser(userId: string): readonly Session[] {
    return this.byUser.get(userId);
  }

  countOfUser(userId: string): number {
    return this.byUser.count(userId);
  }

  /** The sessions of one client address. */
  ofAddress(address: string): readonly Session[] {
    return this.byAddress.get(address);
  }

  *[Symbol.iterator](): Iterator<Session> {
    for (const shard of this.shards) yield* shard.values();
  }

  /** Like iterating, without the cost of an iterator: for fan-out. */
  forEach(visit: (session: Session) => void): void {
    for (const shard of this.shards) shard.forEach(visit);
  }

  private shardOf(id: string): Map<SessionId, Session> {
    // Ids are random, so the last two hexadecimal characters spread evenly. Any other text gets a shard too, and is not
    // found there.
    const hash = id.charCodeAt(id.length - 1) * 31 + id.charCodeAt(id.length - 2);
    return this.shards[(Number.isNaN(hash) ? 0 : hash) % SHARDS] as Map<SessionId, Session>;
  }
}
