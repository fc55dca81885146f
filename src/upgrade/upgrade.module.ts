import { Module } from '@nestjs/common';
import { AccessModule } from '../access/access.module.js';
import { AuthenticationModule } from '../authentication/authentication.module.js';
import { LifecycleModule } from '../lifecycle/lifecycle.module.js';
import { PendingConnections } from './pending/pending-connections.js';
import { UpgradeEvents } from './upgrade-events.js';
import { Upgrader } from './ladder/upgrader.js';

/** @see Upgrader */
@Module({
  imports: [AuthenticationModule, LifecycleModule, AccessModule],
  providers: [UpgradeEvents, PendingConnections, Upgrader],
  exports: [UpgradeEvents, PendingConnections, Upgrader],
})
export class UpgradeModule {}
