import type { OutboundMessage } from '@gatehouse/protocol';
import type { DeliveryPolicy } from '../../config/namespaces.js';
import type { Broker, ChannelName, Publication } from '../cluster/ports/broker.js';
import type { Traces } from '../protocol/traces.js';
import type { SessionEvents } from '../sessions/session-events.js';
import type { Channel } from './channel.js';
import type { Ledger } from './ledger/ledger.js';
import type { NamespaceCount } from './namespace-counts.js';
import type { HistoryReader } from './recovery/history-reader.js';
import type { RepairQueue } from './recovery/repair-queue.js';

/** How clients see a publication. A function for all channels of a kind: one for each would take memory. */
export type PushTemplate = (publication: Publication, epoch: string, channel: Channel) => OutboundMessage;

/** What the channels of a node share. */
export interface ChannelSurroundings {
  readonly broker: Broker;
  readonly histories: HistoryReader;
  readonly events: SessionEvents;
  readonly traces: Traces | undefined;
  /** A channel in which publications may be missing delivers nothing until its repair has succeeded. */
  readonly repairs: RepairQueue;
}

/** What is different from channel to channel. Each holds it, so it is small. */
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

export interface LocalChannelOptions {
  readonly setup: LocalChannelSetup;
  readonly surroundings: ChannelSurroundings;
  readonly count: NamespaceCount;
  /** The ledger of the namespace, if it has one. */
  readonly ledger: Ledger | undefined;
}
