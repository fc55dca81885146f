import { Global, Module, type DynamicModule, type FactoryProvider } from '@nestjs/common';
import type { Bridges } from '../../config/bridges/bridges.js';
import { Channels } from '../channels/channels.js';
import { ChannelsModule } from '../channels/channels.module.js';
import { BridgeEvents } from './bridge-events.js';
import { InboundMessages } from './inbound-messages.js';
import { KafkaBridge } from './kafka/kafka-bridge.js';
import { loadKafka } from './kafka/kafka-client.js';
import { NatsBridge } from './nats/nats-bridge.js';
import { loadNats } from './nats/nats-client.js';

/** Publishes messages of Kafka and NATS in channels. Global, because observers ask for its events. */
@Global()
@Module({})
export class BridgesModule {
  /** @throws UnusableSettings if a package is not installed */
  static async of(bridges: Bridges): Promise<DynamicModule> {
    return {
      module: BridgesModule,
      imports: [ChannelsModule],
      providers: [
        BridgeEvents,
        {
          provide: InboundMessages,
          inject: [Channels],
          useFactory: (channels: Channels) => new InboundMessages(channels),
        },
        ...(bridges.kafka === undefined ? [] : [await kafkaBridge(bridges.kafka)]),
        ...(bridges.nats === undefined ? [] : [await natsBridge(bridges.nats)]),
      ],
      exports: [BridgeEvents],
    };
  }
}

async function kafkaBridge(broker: NonNullable<Bridges['kafka']>): Promise<FactoryProvider<KafkaBridge>> {
  const packages = await loadKafka();
  return {
    provide: KafkaBridge,
    inject: [InboundMessages, BridgeEvents],
    useFactory: (messages: InboundMessages, events: BridgeEvents) =>
      new KafkaBridge({ packages, broker, messages, events }),
  };
}

async function natsBridge(broker: NonNullable<Bridges['nats']>): Promise<FactoryProvider<NatsBridge>> {
  const packages = await loadNats();
  return {
    provide: NatsBridge,
    inject: [InboundMessages, BridgeEvents],
    useFactory: (messages: InboundMessages, events: BridgeEvents) =>
      new NatsBridge({ packages, broker, messages, events }),
  };
}
