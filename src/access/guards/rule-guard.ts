import type { ExecutionContext } from '@nestjs/common';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import type { Session } from '../../sessions/session.js';
import type { AccessRules, HandlerReference, SessionCheck, SessionGuard } from './session-guard.js';
import { sessionOf } from './session-of.js';

/**
 * A guard that demands a role or a sign-in. It says its rules once. The check of the direct call, the Nest guard and
 * the contract follow from them.
 */
export abstract class RuleGuard implements SessionGuard {
  /** What a session needs for one handler. Without any rule, the guard admits every session. */
  abstract rulesFor(handler: HandlerReference): AccessRules;

  checkFor(handler: HandlerReference): SessionCheck | undefined {
    const { roles, signedIn } = this.rulesFor(handler);
    if (roles) return (session) => demandRole(session, roles);
    return signedIn ? demandSignIn : undefined;
  }

  canActivate(context: ExecutionContext): boolean {
    const handler = { gateway: context.getClass(), method: context.getHandler() as HandlerReference['method'] };
    this.checkFor(handler)?.(sessionOf(context));
    return true;
  }
}

/**
 * Checks that a session has at least one of the roles.
 *
 * @throws GatehouseError UNAUTHENTICATED for an anonymous session, FORBIDDEN for one without any of the roles
 */
export function demandRole(session: Session, roles: readonly string[]): void {
  if (session.roles.some((role) => roles.includes(role))) return;
  demandSignIn(session);
  const isAdminOnly = roles.length === 1 && roles[0] === 'ADMIN';
  throw new GatehouseError('FORBIDDEN', isAdminOnly ? { message: 'Administrator privileges required' } : {});
}

/**
 * Checks that a session is signed in.
 *
 * @throws GatehouseError UNAUTHENTICATED for an anonymous session
 */
export function demandSignIn(session: Session): void {
  if (session.principal.anonymous) throw new GatehouseError('UNAUTHENTICATED');
}
