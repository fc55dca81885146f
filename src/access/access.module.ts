import { Global, Module } from '@nestjs/common';
import { AuthenticationModule } from '../authentication/authentication.module.js';
import { ClusterModule } from '../cluster/cluster.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { AccessEvents } from './access-events.js';
import { Bans } from './lists/bans.js';
import { ConnectionLimits } from './limits/connection-limits.js';
import { ExemptAddresses } from './limits/exempt-addresses.js';
import { SessionTermination } from './session-termination.js';
import { TokenRenewal } from './token-renewal.js';
import { MessageRates } from './limits/message-rate.js';
import { LostConnections } from './limits/lost-connections.js';
import { PlaceCheck } from './limits/place-check.js';
import { Reconnects } from './limits/reconnects.js';
import { Precedence } from './lists/precedence.js';
import { RevocationOrders } from './lists/revocation-orders.js';
import { Revocations } from './lists/revocations.js';
import { SessionReview } from './lists/session-review.js';
import { ReplayGuard } from './guards/replay-guard.js';
import { ClusterConnectionLimits } from './limits/cluster-connection-limits.js';

/** The part that other stages use. */
const SHARED = [
  AccessEvents,
  Bans,
  ConnectionLimits,
  ExemptAddresses,
  SessionTermination,
  MessageRates,
  PlaceCheck,
  Reconnects,
  Precedence,
  ReplayGuard,
  RevocationOrders,
  Revocations,
  TokenRenewal,
];

/** Global, so that a feature can end sessions and ban without importing this module. */
@Global()
@Module({
  imports: [AuthenticationModule, ClusterModule, SessionsModule],
  providers: [...SHARED, LostConnections, SessionReview, ClusterConnectionLimits],
  exports: SHARED,
})
export class AccessModule {}
