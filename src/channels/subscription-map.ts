import type { Session } from '../sessions/session.js';
import type { Subscription } from './subscription.js';

/** Subscriptions by session. Most channels have a single one, and a Map for it would take 200 bytes. */
export class SubscriptionMap {
  private only: Subscription | undefined;
  private many: Map<Session, Subscription> | undefined;

  get size(): number {
    return this.many?.size ?? (this.only === undefined ? 0 : 1);
  }

  get(session: Session): Subscription | undefined {
    if (this.many) return this.many.get(session);
    return this.only?.session === session ? this.only : undefined;
  }

  has(session: Session): boolean {
    return this.get(session) !== undefined;
  }

  /** In the order in which they were added first. */
  values(): Iterable<Subscription> {
    if (this.many) return this.many.values();
    return this.only === undefined ? [] : [this.only];
  }

  /** Takes the place of the session's subscription, if there is one. */
  add(subscription: Subscription): void {
    const { session } = subscription;
    if (!this.many && (this.only === undefined || this.only.session === session)) {
      this.only = subscription;
      return;
    }
    this.many ??= new Map(this.only && [[this.only.session, this.only]]);
    this.only = undefined;
    this.many.set(session, subscription);
  }

  /** Returns false if the session was not there. */
  delete(session: Session): boolean {
    if (!this.has(session)) return false;
    this.only = undefined;
    this.many?.delete(session);
    if (this.many?.size === 0) this.many = undefined;
    return true;
  }
}
