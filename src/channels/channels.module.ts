import { Module, type FactoryProvider } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Settings } from '../../config/settings.js';
import { ClusterModule } from '../cluster/cluster.module.js';
import { PayloadCipher } from '../protocol/encryption/payload-cipher.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { ChannelDirectory } from './channel-directory.js';
import { ChannelEgress } from './channel-egress.js';
import { ChannelHooks } from './channel-hooks.js';
import { ChannelHub } from './channel-hub.js';
import { LocalChannels } from './local-channels.js';
import { ChannelsSettings } from './channels-settings.js';
import { ChannelRequests } from './channel-requests.js';
import { Channels } from './channels.js';
import { Explanations } from './ledger/explanations.js';
import { Ledgers } from './ledger/ledgers.js';
import { NodeAccounts } from './ledger/node-accounts.js';
import { NamespaceCounts } from './namespace-counts.js';
import { PresenceTracker } from './presence/presence-tracker.js';
import { PublishLimits } from './publish-limits.js';
import { SubscriptionDirectory } from './subscription-directory.js';
import { SlowReaders } from './state/slow-readers.js';
import { StateCounts } from './state/state-counts.js';
import { StateOwners } from './state/state-owners.js';
import { StateSweeper } from './state/state-sweeper.js';
import { StateWriter } from './state/state-writer.js';
import { States } from './state/states.js';
import { StateRequests } from './state/state-requests.js';
import { SubscriptionReview } from './subscription-review.js';

const settings: FactoryProvider<ChannelsSettings> = {
  provide: ChannelsSettings,
  inject: [Settings, { token: PayloadCipher, optional: true }, { token: ChannelEgress, optional: true }],
  useFactory: ({ channels }: Settings, cipher: PayloadCipher | undefined, egress: ChannelEgress | undefined) => ({
    ...channels,
    cipher,
    egress,
  }),
};

@Module({
  imports: [ClusterModule, DiscoveryModule, SessionsModule],
  providers: [
    settings,
    ChannelHooks,
    ChannelHub,
    NamespaceCounts,
    LocalChannels,
    Ledgers,
    NodeAccounts,
    Explanations,
    PresenceTracker,
    Channels,
    ChannelRequests,
    ChannelDirectory,
    SubscriptionDirectory,
    PublishLimits,
    SlowReaders,
    StateCounts,
    StateOwners,
    StateRequests,
    StateSweeper,
    StateWriter,
    States,
    SubscriptionReview,
  ],
  exports: [
    ChannelsSettings,
    ChannelHooks,
    ChannelHub,
    Channels,
    ChannelRequests,
    ChannelDirectory,
    SubscriptionDirectory,
    NamespaceCounts,
    Ledgers,
    Explanations,
    StateCounts,
    StateRequests,
    SubscriptionReview,
  ],
})
export class ChannelsModule {}
