import type { Session } from '../../sessions/session.js';
import type { Notice, NoticeOptions } from '../channel-push.js';
import { Subscribers, type SubscribersOptions } from '../subscribers.js';
import type { Subscription } from '../subscription.js';
import type { Ledger } from './ledger.js';
import { LedgeredNotice } from './ledgered-push.js';
import { LedgeredSubscription } from './ledgered-subscription.js';
import { Line, type Reach } from './publication-record.js';

/** The subscribers of a channel whose namespace keeps a ledger. */
export class LedgeredSubscribers extends Subscribers {
  private readonly reach: Reach = { position: undefined };

  constructor(
    options: SubscribersOptions,
    private readonly ledger: Ledger,
  ) {
    super(options);
  }

  protected override subscriptionOf(session: Session): Subscription {
    return new LedgeredSubscription(session, this.options.channel.name, this.ledger, this.reach);
  }

  protected override noticeOf(options: NoticeOptions): Notice {
    const { epoch, seq } = options;
    const line = new Line(this.options.name, options);
    this.reach.position = { epoch, seq };
    this.ledger.entries.add(line);
    return new LedgeredNotice(options, line, this.ledger);
  }
}
