import type { Session } from '../../sessions/session.js';
import { ChannelPush, type ChannelPushOptions } from '../channel-push.js';
import { LedgerDelivery } from './ledger-delivery.js';
import type { Ledger } from './ledger.js';
import type { PublicationRecord } from './publication-record.js';

/** A push that records whom it was sent to. */
export class LedgeredPush extends ChannelPush {
  constructor(
    options: ChannelPushOptions,
    private readonly line: PublicationRecord,
    private readonly ledger: Ledger,
  ) {
    super(options);
  }

  override deliverTo(session: Session): void {
    const delivery = new LedgerDelivery(this.line, session.id, session.userId);
    if (!this.hand(session, delivery)) delivery.dropped('closed');
    this.ledger.entries.add(delivery);
  }

  override lost(reason: 'expired' | 'unreadable', session?: Session): void {
    if (session === undefined) {
      this.line.lostBy = reason;
      return;
    }
    const delivery = new LedgerDelivery(this.line, session.id, session.userId);
    delivery.dropped('expired');
    this.ledger.entries.add(delivery);
  }
}
