import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { callerOf } from './caller.js';

/** Who may use the server API. */
export const API_ROLES: readonly string[] = ['ADMIN', 'SERVICE'];

/** Lets back ends and operators pass. Who it is, ApiEntrance has found out: whoever comes by another way is nobody. */
@Injectable()
export class ApiGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { roles } = callerOf(context.switchToHttp().getRequest<IncomingMessage>());
    if (!roles.some((role) => API_ROLES.includes(role))) throw new GatehouseError('FORBIDDEN');
    return true;
  }
}
