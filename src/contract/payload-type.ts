import { describe, parametersOf } from '../dispatch/calls/direct-call.js';
import { PARAMETER } from '../dispatch/calls/nest-internals.js';
import type { HandlerDefinition } from '../dispatch/gateway-scanner.js';
import { isMessageClass } from '../dispatch/validation/message-class.js';
import type { DeclaredType } from './declared-type.js';
import { replyOf } from './reply.js';

/** What a message carries, as far as the code says. */
export type PayloadType =
  | { readonly kind: 'none' }
  | { readonly kind: 'any' }
  | { readonly kind: 'plain'; readonly name: 'string' | 'number' | 'boolean' }
  | { readonly kind: 'declared'; readonly type: DeclaredType }
  | { readonly kind: 'fields'; readonly fields: Readonly<Record<string, PayloadType>> };

const NONE: PayloadType = { kind: 'none' };
const ANY: PayloadType = { kind: 'any' };

/** What a handler takes: a class, or the fields that its parameters name. */
export function requestTypeOf(handler: HandlerDefinition): PayloadType {
  const parameters = parametersOf(handler).filter(([key]) => key.startsWith(`${PARAMETER.payload}:`));
  const fields: Record<string, PayloadType> = {};
  for (const [, parameter] of parameters) {
    const { metatype } = describe(handler, parameter);
    if (typeof parameter.data === 'string') fields[parameter.data] = typeNamed(metatype);
    else return isThere(handler, parameter.index) ? typeNamed(metatype) : NONE;
  }
  return Object.keys(fields).length === 0 ? NONE : { kind: 'fields', fields };
}

/** What a handler answers: what `@Reply()` names, or the class that it returns directly. */
export function replyTypeOf({ gateway, method, methodName }: HandlerDefinition): PayloadType {
  const declared = replyOf(method);
  if (declared !== undefined) return declaredTypeOf(declared.type);
  const prototype = gateway.gatewayClass.prototype as object;
  if (!Reflect.hasMetadata('design:returntype', prototype, methodName)) return ANY;
  const returned: unknown = Reflect.getMetadata('design:returntype', prototype, methodName);
  return returned === undefined ? NONE : typeNamed(returned);
}

/** What `@Emits()` or `@Reply()` names. */
function declaredTypeOf(type: DeclaredType | undefined): PayloadType {
  return type === undefined ? NONE : { kind: 'declared', type };
}

/** A handler without parameter decorators is given the payload, and may have no parameter for it. */
function isThere({ gateway, methodName }: HandlerDefinition, index: number): boolean {
  const types = Reflect.getMetadata('design:paramtypes', gateway.gatewayClass.prototype as object, methodName) as
    | readonly unknown[]
    | undefined;
  return types === undefined || index < types.length;
}

/** @param metatype as the compiler writes it: Object where it is an interface, a union or unknown */
function typeNamed(metatype: unknown): PayloadType {
  if (metatype === String) return { kind: 'plain', name: 'string' };
  if (metatype === Number) return { kind: 'plain', name: 'number' };
  if (metatype === Boolean) return { kind: 'plain', name: 'boolean' };
  if (typeof metatype !== 'function' || !isMessageClass(metatype as never)) return ANY;
  return { kind: 'declared', type: metatype as never };
}
