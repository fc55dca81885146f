import { Global, Module } from '@nestjs/common';
import { ClusterModule } from '../cluster/cluster.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { AccessEvents } from './access-events.js';
import { Bans } from './bans.js';
import { ConnectionLimits } from './connection-limits.js';
import { ExemptAddresses } from './exempt-addresses.js';
import { Expulsion } from './expulsion.js';
import { MessageRates } from './message-rate.js';
import { PlaceCheck } from './place-check.js';
import { Precedence } from './precedence.js';
import { RevocationOrders } from './revocation-orders.js';
import { Revocations } from './revocations.js';
import { SessionReview } from './session-review.js';
import { ReplayGuard } from './replay-guard.js';
import { SharedPlaces } from './shared-places.js';

/** What other stages use. */
const SHARED = [
  AccessEvents,
  Bans,
  ConnectionLimits,
  ExemptAddresses,
  Expulsion,
  MessageRates,
  PlaceCheck,
  Precedence,
  ReplayGuard,
  RevocationOrders,
  Revocations,
];

/** Global, so that a feature can end sessions and ban without importing this module. */
@Global()
@Module({
  imports: [ClusterModule, SessionsModule],
  providers: [...SHARED, SessionReview, SharedPlaces],
  exports: SHARED,
})
export class AccessModule {}
