import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import type { Principal } from '../../authentication/principal.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { callerOf } from './caller.js';

/** Roles that may use the server API. */
const API_ROLES: readonly string[] = ['ADMIN', 'SERVICE'];
/** The role that may read what the role SERVICE may read, and change nothing. */
const READER = 'VIEWER';
const READING_METHODS: readonly (string | undefined)[] = ['GET', 'HEAD'];

/** @throws GatehouseError FORBIDDEN */
export function demandApiRole({ roles }: Pick<Principal, 'roles'>, { method }: Pick<IncomingMessage, 'method'>): void {
  if (roles.some((role) => API_ROLES.includes(role))) return;
  if (!roles.includes(READER)) throw new GatehouseError('FORBIDDEN');
  if (READING_METHODS.includes(method)) return;
  throw new GatehouseError('FORBIDDEN', { message: 'The role VIEWER changes nothing' });
}

/** Admits back ends and operators. ApiEntrance has identified them; a request that did not pass it has no caller. */
@Injectable()
export class ApiGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<IncomingMessage>();
    demandApiRole(callerOf(request), request);
    return true;
  }
}
