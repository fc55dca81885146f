import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Principal } from '../authentication/principal.js';
import type { Ban } from '../access/lists/ban-reason.js';
import type { Codec } from '../protocol/codecs/codec.js';
import type { SessionId } from '../sessions/session.js';
import type { HttpFault } from './pending/http-faults.js';
import type { RefusalReason } from './ladder/refusals.js';

export interface AcceptedAttempt {
  readonly request: IncomingMessage;
  readonly principal: Principal;
  readonly sessionId: SessionId;
  readonly codec: Codec;
  readonly address: string;
  /** When its request arrived, milliseconds since 1970. */
  readonly arrivedAt: number;
}

export interface RefusedAttempt {
  readonly request: IncomingMessage;
  readonly arrivedAt: number;
  /** The user, if the token was valid. */
  readonly principal: Principal | undefined;
  /** The ban that applies, if any. */
  readonly ban: Ban | undefined;
}

interface UpgradeEventMap {
  /** The session is open by now. */
  accepted: [attempt: AcceptedAttempt];
  refused: [reason: RefusalReason, address: string, attempt: RefusedAttempt];
  /** A connection was closed before a complete request arrived. */
  cut: [fault: HttpFault, address: string];
}

/** Accepted and refused upgrades, for observers. Listeners must not throw. */
export class UpgradeEvents extends EventEmitter<UpgradeEventMap> {}
