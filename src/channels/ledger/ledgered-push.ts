import type { Session } from '../../sessions/session.js';
import { Notice, type NoticeOptions } from '../channel-push.js';
import { Delivery } from './ledger-delivery.js';
import type { Ledger } from './ledger.js';
import type { Line } from './publication-record.js';

/** A notice that writes down whom it was sent to. */
export class LedgeredNotice extends Notice {
  constructor(
    options: NoticeOptions,
    private readonly line: Line,
    private readonly ledger: Ledger,
  ) {
    super(options);
  }

  override deliverTo(session: Session): void {
    const delivery = new Delivery(this.line, session.id, session.userId);
    if (!this.hand(session, delivery)) delivery.dropped('closed');
    this.ledger.entries.add(delivery);
  }

  override lost(reason: 'expired' | 'unreadable', session?: Session): void {
    if (session === undefined) {
      this.line.lostBy = reason;
      return;
    }
    const delivery = new Delivery(this.line, session.id, session.userId);
    delivery.dropped('expired');
    this.ledger.entries.add(delivery);
  }
}
