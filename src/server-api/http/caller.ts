import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import type { Principal } from '../../authentication/principal.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';

/** A request that has come in through ApiEntrance. */
export interface ApiRequest extends IncomingMessage {
  body?: unknown;
  params?: Readonly<Record<string, string>>;
  /** Of the URL; not validated. */
  readonly query?: Readonly<Record<string, unknown>>;
  /** What Express found for it. */
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

/** Who makes the request: a parameter of a handler. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext) =>
  callerOf(context.switchToHttp().getRequest<IncomingMessage>()),
);
