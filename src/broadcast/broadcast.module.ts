import { Module } from '@nestjs/common';
import { ClusterModule } from '../cluster/cluster.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { Broadcaster } from './broadcaster.js';
import { ClusterSessions } from './cluster-sessions.js';
import { DirectoryEntries } from './directory-entries.js';

@Module({
  imports: [ClusterModule, SessionsModule],
  providers: [Broadcaster, ClusterSessions, DirectoryEntries],
  exports: [Broadcaster, ClusterSessions],
})
export class BroadcastModule {}
