import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import type { Principal } from '../../authentication/principal.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';

/** A request that has passed ApiEntrance. */
export interface ApiRequest extends IncomingMessage {
  body?: unknown;
  params?: Readonly<Record<string, string>>;
  /** From the URL; not validated. */
  readonly query?: Readonly<Record<string, unknown>>;
  /** The route that Express found. */
  readonly route?: { readonly path: string };
}

const callers = new WeakMap<IncomingMessage, Principal>();

export function rememberCaller(request: IncomingMessage, caller: Principal): void {
  callers.set(request, caller);
}

/** @throws GatehouseError UNAUTHENTICATED */
export function callerOf(request: IncomingMessage): Principal {
  const caller = callers.get(request);
  if (caller === undefined) throw new GatehouseError('UNAUTHENTICATED');
  return caller;
}

/** A parameter decorator for the principal of the request. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext) =>
  callerOf(context.switchToHttp().getRequest<IncomingMessage>()),
);
