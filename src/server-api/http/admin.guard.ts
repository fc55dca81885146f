import { applyDecorators, Injectable, UseGuards, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { ProblemWhere } from './api-controller.js';
import { callerOf } from './caller.js';

/** Admits operators, but not back ends. */
@Injectable()
export class AdminGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { roles } = callerOf(context.switchToHttp().getRequest<IncomingMessage>());
    if (!roles.includes('ADMIN')) throw new GatehouseError('FORBIDDEN', { message: 'Requires the role ADMIN' });
    return true;
  }
}

/** For endpoints that the role SERVICE does not open. Put it above @ApiController for all endpoints of a controller. */
export function AdminOnly(): ClassDecorator & MethodDecorator {
  return applyDecorators(UseGuards(AdminGuard), ProblemWhere(403, 'The token does not have the role ADMIN'));
}
