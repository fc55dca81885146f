import { Global, Module, type DynamicModule, type FactoryProvider } from '@nestjs/common';
import type { Bridges } from '../../config/bridges/bridges.js';
import { Settings } from '../../config/settings.js';
import { ChannelEgress } from '../channels/channel-egress.js';
import { Channels } from '../channels/channels.js';
import { ChannelsModule } from '../channels/channels.module.js';
import { BridgeEgress } from './bridge-egress.js';
import type { Bridge } from './bridge.js';
import { BridgeEvents } from './bridge-events.js';
import { BridgesEnd } from './bridges-end.js';
import { BrokerQueues } from './broker-queues.js';
import { InboundMessages } from './inbound-messages.js';
import { KafkaBridge } from './kafka/kafka-bridge.js';
import { loadKafka } from './kafka/kafka-client.js';
import { NatsBridge } from './nats/nats-bridge.js';
import { loadNats } from './nats/nats-client.js';

/** How long the end of the process waits for publications to leave, if the time to drain is not shorter. */
const FLUSH_MS = 5_000;

/** The queues of each broker, by its kind. */
class OutgoingQueues {
  readonly kafka: BrokerQueues;
  readonly nats: BrokerQueues;

  constructor(events: BridgeEvents) {
    this.kafka = new BrokerQueues('kafka', events);
    this.nats = new BrokerQueues('nats', events);
  }
}

/**
 * Publishes messages of Kafka and NATS in channels, and sends publications there. Global, because observers ask for its
 * events, and channels for its egress.
 */
@Global()
@Module({})
export class BridgesModule {
  /** @throws UnusableSettings if a package is not installed */
  static async of(bridges: Bridges): Promise<DynamicModule> {
    const { name, kafka, nats } = bridges;
    return {
      module: BridgesModule,
      imports: [ChannelsModule],
      providers: [
        BridgeEvents,
        { provide: OutgoingQueues, inject: [BridgeEvents], useFactory: (events) => new OutgoingQueues(events) },
        {
          provide: ChannelEgress,
          inject: [OutgoingQueues, BridgeEvents],
          useFactory: (queues: OutgoingQueues, events: BridgeEvents) => new BridgeEgress({ name, queues, events }),
        },
        {
          provide: InboundMessages,
          inject: [Channels],
          useFactory: (channels: Channels) => new InboundMessages(channels, name),
        },
        ...(kafka === undefined ? [] : [await kafkaBridge(kafka)]),
        ...(nats === undefined ? [] : [await natsBridge(nats)]),
        {
          provide: BridgesEnd,
          inject: [OutgoingQueues, Settings, ...(kafka ? [KafkaBridge] : []), ...(nats ? [NatsBridge] : [])],
          useFactory: (queues: OutgoingQueues, { lifecycle }: Settings, ...ended: Bridge[]) =>
            new BridgesEnd({
              bridges: ended,
              queues: [queues.kafka, queues.nats],
              withinMs: Math.min(FLUSH_MS, lifecycle.drainTimeoutMs),
            }),
        },
      ],
      exports: [BridgeEvents, ChannelEgress],
    };
  }
}

const PARTS = [InboundMessages, BridgeEvents, OutgoingQueues];

async function kafkaBridge(broker: NonNullable<Bridges['kafka']>): Promise<FactoryProvider<KafkaBridge>> {
  const packages = await loadKafka();
  return {
    provide: KafkaBridge,
    inject: PARTS,
    useFactory: (messages: InboundMessages, events: BridgeEvents, { kafka: outgoing }: OutgoingQueues) =>
      new KafkaBridge({ packages, broker, messages, events, outgoing }),
  };
}

async function natsBridge(broker: NonNullable<Bridges['nats']>): Promise<FactoryProvider<NatsBridge>> {
  const packages = await loadNats();
  return {
    provide: NatsBridge,
    inject: PARTS,
    useFactory: (messages: InboundMessages, events: BridgeEvents, { nats: outgoing }: OutgoingQueues) =>
      new NatsBridge({ packages, broker, messages, events, outgoing }),
  };
}
