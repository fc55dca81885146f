import type { Channel } from './channel.js';
import type { PublishRequest } from './publish-request.js';

/** A port: keeps publications for another server before this one publishes them. May be absent. */
export abstract class PublicationRelay {
  /**
   * Resolves when the publication is kept: whether this server publishes it, too, or it comes back from the other one.
   * Calls for one channel resolve in their order.
   *
   * @returns undefined: the publications of this channel are not kept
   * @throws GatehouseError: it is not kept, and must not be published
   */
  abstract keep(channel: Channel, request: PublishRequest): Promise<'here_too' | 'there'> | undefined;
}
