import type { Position } from '../../cluster/ports/broker.js';
import type { Session } from '../../sessions/session.js';
import type { Gap } from '../recovery/gap.js';
import { gapMessage } from '../channel-push.js';
import type { Recovery } from '../recovery/recovery-reply.js';
import { Subscription } from '../subscription.js';
import { LedgerDelivery } from './ledger-delivery.js';
import type { Ledger } from './ledger.js';
import { PublicationRecord, type Reach } from './publication-record.js';
import { SubscriptionRecord } from './subscription-record.js';

/** A subscription that records what happens to it. */
export class LedgeredSubscription extends Subscription {
  readonly record: SubscriptionRecord;

  constructor(
    session: Session,
    channel: string,
    private readonly ledger: Ledger,
    reach: Reach,
  ) {
    super(session, channel);
    this.record = new SubscriptionRecord(channel, session, reach);
    ledger.held += this.record.weight;
  }

  override recover(formerSession: string | undefined): void {
    super.recover(formerSession);
    this.keep(() => this.record.begin(formerSession));
  }

  override answered(since: Position | undefined, recovery: Recovery): void {
    this.keep(() => this.record.answered(since, recovery));
  }

  override goLive(): ReturnType<Subscription['goLive']> {
    const { latest } = this.record;
    if (latest !== undefined && !this.hasEnded && !latest.isLive) {
      latest.isLive = true;
      // The reply was sent before.
      this.session.connection.follow(latest);
    }
    return super.goLive();
  }

  override end(): void {
    if (!this.hasEnded) {
      this.record.leave(this.session.connection.isOpen ? 'unsubscribed' : 'closed');
      this.ledger.held -= this.record.weight;
      this.ledger.departures.add(this.record);
    }
    super.end();
  }

  protected override tellGap(epoch: string, gap: Gap): void {
    super.tellGap(epoch, gap);
    const { id, userId, connection } = this.session;
    const { channel } = this.record;
    const line = new PublicationRecord(channel, { epoch, seq: gap.to, gap, message: gapMessage(channel, epoch, gap) });
    const delivery = new LedgerDelivery(line, id, userId);
    connection.follow(delivery);
    this.ledger.entries.add(delivery);
  }

  /** A session that has left gets nothing more, and the ring has its final size. */
  private keep(change: () => void): void {
    if (this.hasEnded) return;
    const before = this.record.weight;
    change();
    this.ledger.held += this.record.weight - before;
  }
}
