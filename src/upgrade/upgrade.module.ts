import { Module } from '@nestjs/common';
import { AccessModule } from '../access/access.module.js';
import { AuthenticationModule } from '../authentication/authentication.module.js';
import { LifecycleModule } from '../lifecycle/lifecycle.module.js';
import { Eligibility } from './ladder/eligibility.js';
import { PendingConnections } from './pending/pending-connections.js';
import { UpgradeEvents } from './upgrade-events.js';
import { UpgradePolicy } from './upgrade-policy.js';

/** @see UpgradePolicy */
@Module({
  imports: [AuthenticationModule, LifecycleModule, AccessModule],
  providers: [UpgradeEvents, PendingConnections, Eligibility, UpgradePolicy],
  exports: [UpgradeEvents, PendingConnections, UpgradePolicy],
})
export class UpgradeModule {}
