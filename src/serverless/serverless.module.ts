import { Module, type DynamicModule, type FactoryProvider, type Type } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Settings } from '../../config/settings.js';
import { AccessModule } from '../access/access.module.js';
import { AuthenticationModule } from '../authentication/authentication.module.js';
import { Broadcaster } from '../broadcast/broadcaster.js';
import { ClusterSessions } from '../broadcast/cluster-sessions.js';
import { LocalReceivers } from '../broadcast/local-receivers.js';
import { ChannelHooks } from '../channels/channel-hooks.js';
import { ChannelHub } from '../channels/channel-hub.js';
import { ChannelRequests } from '../channels/channel-requests.js';
import { Channels } from '../channels/channels.js';
import { ChannelsSettings } from '../channels/channels-settings.js';
import { Ledgers } from '../channels/ledger/ledgers.js';
import { LocalChannels } from '../channels/local-channels.js';
import { NamespaceCounts } from '../channels/namespace-counts.js';
import { PresenceTracker } from '../channels/presence/presence-tracker.js';
import { PublishLimits } from '../channels/publish-limits.js';
import { StateRequests } from '../channels/state/state-requests.js';
import { SubscriptionReview } from '../channels/subscription-review.js';
import { ClusterModule } from '../cluster/cluster.module.js';
import { ExternalEngine } from '../cluster/ports/external-engine.js';
import { DispatchModule } from '../dispatch/dispatch.module.js';
import { PayloadCipher } from '../protocol/encryption/payload-cipher.js';
import { RuntimeModule, type Runtime } from '../runtime.module.js';
import { RightsReview } from '../sessions/rights-review.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { Eligibility } from '../upgrade/ladder/eligibility.js';
import { AbsentStateRequests } from './channels/absent-state-requests.js';
import { TableChannels } from './channels/table-channels.js';
import { Departures } from './connections/departures.js';
import { NoLocalReceivers } from './delivery/no-local-receivers.js';
import { TableDelivery } from './delivery/table-delivery.js';
import { ServerlessHost } from './host.js';
import { ConnectRoute } from './routes/connect-route.js';
import { DisconnectRoute } from './routes/disconnect-route.js';
import { MessageRoute } from './routes/message-route.js';

const channelsSettings: FactoryProvider<ChannelsSettings> = {
  provide: ChannelsSettings,
  inject: [Settings, { token: PayloadCipher, optional: true }],
  useFactory: ({ channels }: Settings, cipher: PayloadCipher | undefined) => ({ ...channels, cipher }),
};

/** Providers that gateways inject, as GatehouseModule has them. */
const FOR_GATEWAYS = [
  Broadcaster,
  ChannelHooks,
  ChannelRequests,
  Channels,
  ChannelsSettings,
  ClusterSessions,
  StateRequests,
  SubscriptionReview,
];

/**
 * The stages of a message's path that a function needs, with the tables in place of nodes: no ports, no upgrade, no
 * HTTP API, no metrics.
 */
@Module({})
export class ServerlessModule {
  static of(runtime: Runtime, host: ServerlessHost, feature: Type | DynamicModule): DynamicModule {
    return {
      module: ServerlessModule,
      global: true,
      imports: [
        RuntimeModule.of(runtime),
        HostModule.of(host),
        AccessModule,
        AuthenticationModule,
        ClusterModule,
        DiscoveryModule,
        DispatchModule,
        SessionsModule,
        builtInGateways(),
        feature,
      ],
      providers: [
        channelsSettings,
        Broadcaster,
        ChannelHooks,
        ChannelHub,
        ChannelRequests,
        { provide: Channels, useClass: TableChannels },
        ClusterSessions,
        Ledgers,
        LocalChannels,
        { provide: LocalReceivers, useClass: NoLocalReceivers },
        NamespaceCounts,
        PresenceTracker,
        PublishLimits,
        { provide: StateRequests, useClass: AbsentStateRequests },
        SubscriptionReview,
        { provide: RightsReview, useExisting: SubscriptionReview },
        Eligibility,
        TableDelivery,
        Departures,
        ConnectRoute,
        MessageRoute,
        DisconnectRoute,
      ],
      exports: [...FOR_GATEWAYS, RightsReview, DispatchModule, SessionsModule],
    };
  }
}

/** Global, because the ports of the cluster are chosen by it. */
@Module({})
class HostModule {
  static of(host: ServerlessHost): DynamicModule {
    return {
      module: HostModule,
      global: true,
      providers: [
        { provide: ServerlessHost, useValue: host },
        { provide: ExternalEngine, useValue: host },
      ],
      exports: [ServerlessHost, ExternalEngine],
    };
  }
}

/** By import(), because gateways import the public API. */
async function builtInGateways(): Promise<DynamicModule> {
  const { GatewaysModule } = await import('../gateways/gateways.module.js');
  return { module: GatewaysModule };
}
