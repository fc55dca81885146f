import {
  Broker,
  type BrokerListener,
  type ChannelName,
  type Draft,
  type History,
  type HistoryQuery,
  type Published,
  type PublishOptions,
} from '../../cluster/ports/broker.js';
import type { BrokerOverlay } from '../../cluster/ports/broker-overlay.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import type { Mirror } from './mirror.js';

/** Serves mirrored channels with the positions of the centre. The others are those of this node. */
export class MirrorOverlay implements BrokerOverlay {
  constructor(private readonly mirror: Mirror) {}

  over(broker: Broker): Broker {
    return new MirrorBroker(broker, this.mirror);
  }
}

class MirrorBroker extends Broker {
  /** An edge is one node, and the mirror checks its channels itself. */
  readonly checks = undefined;

  constructor(
    private readonly own: Broker,
    private readonly mirror: Mirror,
  ) {
    super();
  }

  listen(listener: BrokerListener): void {
    this.own.listen(listener);
    this.mirror.listen(listener);
  }

  async publish(channel: ChannelName, draft: Draft, options: PublishOptions): Promise<Published> {
    if (!this.mirror.mirrors(channel)) return this.own.publish(channel, draft, options);
    throw new GatehouseError('FORBIDDEN', { message: 'This channel is mirrored: publish it at the centre' });
  }

  subscribe(channel: ChannelName): Promise<void> {
    return this.mirror.mirrors(channel) ? this.mirror.follow(channel) : this.own.subscribe(channel);
  }

  unsubscribe(channel: ChannelName): void {
    if (this.mirror.mirrors(channel)) this.mirror.leave(channel);
    else this.own.unsubscribe(channel);
  }

  history(channel: ChannelName, query: HistoryQuery): Promise<History> {
    return this.mirror.mirrors(channel) ? this.mirror.history(channel, query) : this.own.history(channel, query);
  }

  close(): Promise<void> {
    return this.own.close();
  }
}
