import type { CanActivate, Type } from '@nestjs/common';
import type { Session } from '../../sessions/session.js';

/** A handler: its gateway class and its method. */
export interface HandlerReference {
  readonly gateway: Type;
  readonly method: (...args: never[]) => unknown;
}

/** Passes, or throws what the client is to be answered. */
export type SessionCheck = (session: Session) => void;

/**
 * A guard whose decision needs nothing but the session and the handler it stands before. It says at start
 * what to check; the dispatcher then calls that check directly, at a fortieth of the price of Nest's guard
 * context. It stays a Nest guard, which is what runs as soon as a handler has an interceptor or a foreign guard.
 */
export interface SessionGuard extends CanActivate {
  /** The check for one handler; undefined where it has nothing to check. */
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
