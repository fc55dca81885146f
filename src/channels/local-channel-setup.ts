import type { DeliveryPolicy } from '../../config/namespaces.js';
import type { ChannelName, Publication } from '../cluster/ports/broker.js';
import type { OutboundMessage } from '@gatehouse/protocol';
import type { Channel } from './channel.js';

/** How clients see a publication. */
export type PushTemplate = (publication: Publication, epoch: string) => OutboundMessage;

export interface LocalChannelSetup {
  /** Its name at the broker: that of the channel, or of its companion. */
  readonly name: ChannelName;
  readonly channel: Channel;
  readonly render: PushTemplate;
  readonly delivery: DeliveryPolicy;
  readonly hasHistory: boolean;
  /** The part of a state channel that it carries. Undefined: all of a channel, or a companion. */
  readonly cell?: string;
  /**
   * The user that a publication is about, and whose sessions do not get it. Absent if publications are about nobody.
   */
  readonly subjectOf?: (publication: Publication) => string | undefined;
}
