import type { Principal } from '../authentication/principal.js';
import type { SessionId } from '../sessions/session.js';
import type { RefusalReason } from './ladder/refusals.js';

/** A client whose token is valid, or that needs none. */
export interface ConnectRequest {
  readonly principal: Principal;
  readonly sessionId: SessionId;
  readonly address: string;
  /** The path of the endpoint: `/ws`. */
  readonly path: string;
}

/** A port: decides about clients that the server itself would accept. Optional. */
export abstract class ConnectDecisions {
  /** @returns the principal of the client from now on, or why it is refused */
  abstract decide(request: ConnectRequest): Promise<Principal | RefusalReason>;
}
