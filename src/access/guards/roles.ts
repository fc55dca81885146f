import { applyDecorators, Injectable, SetMetadata, UseGuards } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { RuleGuard } from './rule-guard.js';
import type { AccessRules, HandlerReference } from './session-guard.js';

const ROLES = 'gatehouse:roles';

/**
 * Admits only sessions that have at least one of these roles. On a class it applies to every handler without `@Roles`
 * of its own.
 */
export function Roles(...roles: readonly [string, ...string[]]): ClassDecorator & MethodDecorator {
  return applyDecorators(SetMetadata(ROLES, roles), UseGuards(RolesGuard));
}

@Injectable()
export class RolesGuard extends RuleGuard {
  constructor(private readonly reflector: Reflector) {
    super();
  }

  rulesFor({ gateway, method }: HandlerReference): AccessRules {
    return { roles: this.reflector.getAllAndOverride<readonly string[] | undefined>(ROLES, [method, gateway]) };
  }
}
