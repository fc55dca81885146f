import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { ClusterModule } from '../cluster/cluster.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { ChannelDirectory } from './channel-directory.js';
import { ChannelHooks } from './channel-hooks.js';
import { ChannelHub } from './channel-hub.js';
import { Channels } from './channels.js';
import { PresenceTracker } from './presence-tracker.js';
import { SubscriptionReview } from './subscription-review.js';

@Module({
  imports: [ClusterModule, DiscoveryModule, SessionsModule],
  providers: [ChannelHooks, ChannelHub, PresenceTracker, Channels, ChannelDirectory, SubscriptionReview],
  exports: [ChannelHooks, Channels, ChannelDirectory, SubscriptionReview],
})
export class ChannelsModule {}
