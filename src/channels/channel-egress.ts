import type { Draft, Published } from '../cluster/ports/broker.js';
import type { Channel } from './channel.js';
import type { PublishRequest } from './publish-request.js';

/** How a publication came from a broker of others. */
export interface Via {
  /** `kafka:<topic>` or `nats:<subject>`. */
  readonly source: string;
  /** The names of the clusters that had sent it out before. */
  readonly clusters: readonly string[];
}

/** A publish of a bridge. */
export interface BridgedRequest extends PublishRequest {
  readonly via?: Via | undefined;
}

/** A publication that this node has made. */
export interface MadePublication {
  readonly channel: Channel;
  readonly draft: Draft;
  readonly published: Published;
  readonly via: Via | undefined;
  /** Where it stands in the outbox of an edge. The position of a repeat is then that of the newest publication. */
  readonly mark: PublishRequest['mark'];
}

/** The port to brokers that get the publications of namespaces with `egress`. Not provided if there is no bridge. */
export abstract class ChannelEgress {
  abstract send(publication: MadePublication): void;
}
