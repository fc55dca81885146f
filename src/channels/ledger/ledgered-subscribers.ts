import type { Session } from '../../sessions/session.js';
import type { ChannelPush, ChannelPushOptions } from '../channel-push.js';
import { Subscribers, type SubscribersOptions } from '../subscribers.js';
import type { Subscription } from '../subscription.js';
import type { Ledger } from './ledger.js';
import { LedgeredPush } from './ledgered-push.js';
import { LedgeredSubscription } from './ledgered-subscription.js';
import { PublicationRecord, type Reach } from './publication-record.js';

export function subscribersWith(ledger: Ledger | undefined, options: SubscribersOptions): Subscribers {
  return ledger === undefined ? new Subscribers(options) : new LedgeredSubscribers(options, ledger);
}

/** The subscribers of a channel whose namespace has a ledger. */
export class LedgeredSubscribers extends Subscribers {
  private readonly reach: Reach = { position: undefined };

  constructor(
    options: SubscribersOptions,
    private readonly ledger: Ledger,
  ) {
    super(options);
  }

  protected override subscriptionOf(session: Session): Subscription {
    return new LedgeredSubscription(session, this.setup.channel.name, this.ledger, this.reach);
  }

  protected override noticeOf(options: ChannelPushOptions): ChannelPush {
    const { epoch, seq } = options;
    const line = new PublicationRecord(this.setup.name, options);
    this.reach.position = { epoch, seq };
    this.ledger.entries.add(line);
    return new LedgeredPush(options, line, this.ledger);
  }
}
