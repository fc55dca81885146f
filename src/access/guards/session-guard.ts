import type { CanActivate, Type } from '@nestjs/common';
import type { Session } from '../../sessions/session.js';

/** A handler: its gateway class and its method. */
export interface HandlerReference {
  readonly gateway: Type;
  readonly method: (...args: never[]) => unknown;
}

/** Returns to admit the session, or throws the error that the client gets. */
export type SessionCheck = (session: Session) => void;

/**
 * A guard that needs only the session and the handler. It says at the start what to check, and the dispatcher calls
 * that check directly, at a fortieth of the cost of Nest's execution context. It remains a Nest guard, which runs if a
 * handler has an interceptor or another kind of guard.
 */
export interface SessionGuard extends CanActivate {
  /** The check for one handler. Undefined if there is nothing to check. */
  checkFor(handler: HandlerReference): SessionCheck | undefined;
  /** What the check demands, for the contract that clients read. A guard without it is not mentioned there. */
  rulesFor?(handler: HandlerReference): AccessRules;
}

/** What a guard demands of a session. */
export interface AccessRules {
  /** The session needs one of these roles. */
  readonly roles?: readonly string[] | undefined;
  /** The session must be signed in. Roles say so too. */
  readonly signedIn?: boolean | undefined;
}

export function isSessionGuard(guard: CanActivate): guard is SessionGuard {
  return typeof (guard as Partial<SessionGuard>).checkFor === 'function';
}
