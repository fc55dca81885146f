import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { BridgeEvents } from '../bridge-events.js';
import type { InboundMessages } from '../inbound-messages.js';
import type { NatsPackages } from './nats-client.js';

/** What the readers of one connection share. */
export interface NatsReaderParts {
  readonly packages: NatsPackages;
  readonly connection: NatsConnection;
  readonly jetstream: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly messages: InboundMessages;
  readonly events: BridgeEvents;
}

/** Reads the messages of one source, over one connection. */
export interface NatsReader {
  /** Resolves when it does not read any more, because it was stopped or the connection ended; rejects if it cannot. */
  readonly done: Promise<void>;
  /** Resolves when the messages that it has are settled. */
  stop(): Promise<void>;
}
