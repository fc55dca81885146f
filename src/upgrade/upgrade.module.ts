import { Module } from '@nestjs/common';
import { AccessModule } from '../access/access.module.js';
import { AuthenticationModule } from '../authentication/authentication.module.js';
import { LifecycleModule } from '../lifecycle/lifecycle.module.js';
import { Doorstep } from './pending/pending-connections.js';
import { UpgradeEvents } from './upgrade-events.js';
import { Upgrader } from './ladder/upgrader.js';

/** @see Upgrader */
@Module({
  imports: [AuthenticationModule, LifecycleModule, AccessModule],
  providers: [UpgradeEvents, Doorstep, Upgrader],
  exports: [UpgradeEvents, Doorstep, Upgrader],
})
export class UpgradeModule {}
