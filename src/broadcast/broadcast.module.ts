import { Module } from '@nestjs/common';
import { ChannelsModule } from '../channels/channels.module.js';
import { ClusterModule } from '../cluster/cluster.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { Broadcaster } from './broadcaster.js';
import { BusiestSessions } from './busiest-sessions.js';
import { ClusterSessions } from './cluster-sessions.js';
import { DirectoryEntries } from './directory-entries.js';
import { LocalReceivers } from './local-receivers.js';

@Module({
  imports: [ChannelsModule, ClusterModule, SessionsModule],
  providers: [Broadcaster, BusiestSessions, ClusterSessions, DirectoryEntries, LocalReceivers],
  exports: [Broadcaster, BusiestSessions, ClusterSessions],
})
export class BroadcastModule {}
