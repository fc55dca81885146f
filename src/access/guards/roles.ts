import { applyDecorators, Injectable, SetMetadata, UseGuards, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import type { Session } from '../../sessions/session.js';
import type { AccessRules, HandlerReference, SessionCheck, SessionGuard } from './session-guard.js';
import { sessionOf } from './session-of.js';

const ROLES = 'gatehouse:roles';

/**
 * Admits only sessions that have at least one of these roles. On a class it applies to every handler without `@Roles`
 * of its own.
 */
export function Roles(...roles: readonly [string, ...string[]]): ClassDecorator & MethodDecorator {
  return applyDecorators(SetMetadata(ROLES, roles), UseGuards(RolesGuard));
}

/**
 * Checks that a session has at least one of the roles.
 *
 * @throws GatehouseError UNAUTHENTICATED for an anonymous session, FORBIDDEN for one without any of the roles
 */
export function demandRole(session: Session, roles: readonly string[]): void {
  if (session.roles.some((role) => roles.includes(role))) return;
  if (session.principal.anonymous) throw new GatehouseError('UNAUTHENTICATED');
  const isAdminOnly = roles.length === 1 && roles[0] === 'ADMIN';
  throw new GatehouseError('FORBIDDEN', isAdminOnly ? { message: 'Administrator privileges required' } : {});
}

@Injectable()
export class RolesGuard implements SessionGuard {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    this.checkFor({ gateway: context.getClass(), method: context.getHandler() as HandlerReference['method'] })?.(
      sessionOf(context),
    );
    return true;
  }

  checkFor(handler: HandlerReference): SessionCheck | undefined {
    const { roles } = this.rulesFor(handler);
    return roles && ((session) => demandRole(session, roles));
  }

  rulesFor({ gateway, method }: HandlerReference): AccessRules {
    return { roles: this.reflector.getAllAndOverride<readonly string[] | undefined>(ROLES, [method, gateway]) };
  }
}
