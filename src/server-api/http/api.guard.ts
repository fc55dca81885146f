import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { callerOf } from './caller.js';

/** Roles that may use the server API. */
export const API_ROLES: readonly string[] = ['ADMIN', 'SERVICE'];

/** Admits back ends and operators. ApiEntrance has identified them; a request that did not pass it has no caller. */
@Injectable()
export class ApiGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { roles } = callerOf(context.switchToHttp().getRequest<IncomingMessage>());
    if (!roles.some((role) => API_ROLES.includes(role))) throw new GatehouseError('FORBIDDEN');
    return true;
  }
}
