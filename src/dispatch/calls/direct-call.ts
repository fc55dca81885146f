import {
  Injectable,
  type ArgumentMetadata,
  type CanActivate,
  type NestInterceptor,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { isSessionGuard, type SessionCheck } from '../../access/guards/session-guard.js';
import type { HandlerDefinition } from '../gateway-scanner.js';
import type { MessageContext } from './message-context.js';
import { isMessageInterceptor, type MessageInterceptor } from './message-interceptor.js';
import { isMessagePipe, type MessagePipe } from './message-pipe.js';
import {
  CUSTOM_ROUTE_ARGS_METADATA,
  GUARDS_METADATA,
  INTERCEPTORS_METADATA,
  PARAMETER,
  PIPES_METADATA,
  ROUTE_ARGS_METADATA,
} from './nest-internals.js';
import { readerOf } from './parameter-decorators.js';

export type Invocation = (context: MessageContext, data: unknown) => unknown;
type ArgumentReader = (context: MessageContext, data: unknown) => unknown;

interface ParameterMetadata {
  readonly index: number;
  readonly data?: unknown;
  readonly pipes?: readonly unknown[];
  readonly schema?: unknown;
  readonly factory?: unknown;
}

/**
 * Compiles a handler to a plain function call. This is possible if nothing before it needs Nest's execution context:
 * only guards, interceptors, pipes and parameters that work without it. A direct call costs 0.1 µs for each message;
 * the context costs 1.6 µs, or 5.8 µs with interceptors.
 */
@Injectable()
export class DirectCall {
  constructor(
    private readonly config: ApplicationConfig,
    private readonly modules: ModulesContainer,
  ) {}

  /** The call; undefined if the handler needs Nest's execution context. */
  compile(handler: HandlerDefinition): Invocation | undefined {
    if (!handler.gateway.isStatic || this.hasGlobalEnhancers()) return undefined;
    const checks = this.checksOf(handler);
    const interceptors = this.interceptorsOf(handler);
    const readers = this.readersOf(handler);
    return checks && interceptors && readers && toInvocation(handler, { checks, interceptors, readers });
  }

  private hasGlobalEnhancers(): boolean {
    const { config } = this;
    return [
      config.getGlobalGuards(),
      config.getGlobalRequestGuards(),
      config.getGlobalPipes(),
      config.getGlobalRequestPipes(),
      config.getGlobalRequestInterceptors(),
    ].some((list) => list.length > 0);
  }

  private checksOf(handler: HandlerDefinition): SessionCheck[] | undefined {
    const checks: SessionCheck[] = [];
    for (const declared of enhancers<CanActivate>(GUARDS_METADATA, handler)) {
      const guard = enhancerOf(declared, handler, this.modules);
      if (guard === undefined || !isSessionGuard(guard)) return undefined;
      const check = guard.checkFor({ gateway: handler.gateway.gatewayClass, method: handler.method });
      if (check) checks.push(check);
    }
    return checks;
  }

  /** The outermost first, as in Nest: of the application, of the class, of the method. */
  private interceptorsOf(handler: HandlerDefinition): MessageInterceptor[] | undefined {
    const declared = enhancers<NestInterceptor>(INTERCEPTORS_METADATA, handler);
    const own = declared.map((each) => enhancerOf(each, handler, this.modules));
    const interceptors: MessageInterceptor[] = [];
    for (const interceptor of [...this.config.getGlobalInterceptors(), ...own]) {
      if (interceptor === undefined || !isMessageInterceptor(interceptor)) return undefined;
      interceptors.push(interceptor);
    }
    return interceptors;
  }

  private readersOf(handler: HandlerDefinition): ArgumentReader[] | undefined {
    const pipes: MessagePipe[] = [];
    for (const declared of enhancers<PipeTransform>(PIPES_METADATA, handler)) {
      const pipe = enhancerOf(declared, handler, this.modules);
      if (pipe === undefined || !isMessagePipe(pipe)) return undefined;
      pipes.push(pipe);
    }
    const readers: ArgumentReader[] = [];
    for (const [key, parameter] of parametersOf(handler)) {
      const reader = readArgument(key, parameter);
      if (reader === undefined) return undefined;
      const isPayload = key.startsWith(`${PARAMETER.payload}:`);
      readers[parameter.index] = isPayload ? throughPipes(reader, pipes, describe(handler, parameter)) : reader;
    }
    return Array.from(readers, (reader) => reader ?? (() => undefined));
  }
}

/** The instance behind what a decorator was given. It is the one of the gateway's own module: another's may have other settings. */
export function enhancerOf<T>(
  declared: T | Type<T>,
  { gateway }: HandlerDefinition,
  modules: ModulesContainer,
): T | undefined {
  if (!isClass(declared)) return declared;
  return modules.get(gateway.moduleKey)?.injectables.get(declared)?.instance as T | undefined;
}

function isClass<T>(declared: T | Type<T>): declared is Type<T> {
  return typeof declared === 'function';
}

/** The enhancers of the method and its class, in the order in which Nest runs them. */
export function enhancers<T = unknown>(key: string, { gateway, method }: HandlerDefinition): (T | Type<T>)[] {
  const of = (target: object): (T | Type<T>)[] =>
    (Reflect.getMetadata(key, target) as (T | Type<T>)[] | undefined) ?? [];
  return [...of(gateway.gatewayClass), ...of(method)];
}

/** A handler without parameter decorators is called with socket and payload, as Nest documents. */
export function parametersOf({ gateway, methodName }: HandlerDefinition): [string, ParameterMetadata][] {
  const declared = Reflect.getMetadata(ROUTE_ARGS_METADATA, gateway.gatewayClass, methodName) as
    | Record<string, ParameterMetadata>
    | undefined;
  if (declared !== undefined) return Object.entries(declared);
  return [
    [`${PARAMETER.socket}:0`, { index: 0 }],
    [`${PARAMETER.payload}:1`, { index: 1 }],
  ];
}

function readArgument(key: string, { data, pipes, schema, factory }: ParameterMetadata): ArgumentReader | undefined {
  if ((pipes?.length ?? 0) > 0 || schema !== undefined) return undefined;
  if (key.includes(CUSTOM_ROUTE_ARGS_METADATA)) return readerOf(factory);
  switch (Number(key.split(':')[0])) {
    case PARAMETER.socket:
      return ({ session }) => session.connection;
    case PARAMETER.payload:
      return typeof data === 'string' ? (_context, payload) => fieldOf(payload, data) : (_context, payload) => payload;
    default:
      return undefined;
  }
}

/** A property of the payload; undefined if the payload is not an object. */
export function fieldOf(payload: unknown, name: string): unknown {
  return typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>)[name] : undefined;
}

/** The metadata of the payload parameter for pipes. */
export function describe(
  { gateway, methodName }: HandlerDefinition,
  { index, data }: ParameterMetadata,
): ArgumentMetadata {
  const types = Reflect.getMetadata('design:paramtypes', gateway.gatewayClass.prototype as object, methodName) as
    | Type[]
    | undefined;
  return { type: 'body', metatype: types?.[index], data: data as string | undefined };
}

function throughPipes(
  read: ArgumentReader,
  pipes: readonly MessagePipe[],
  parameter: ArgumentMetadata,
): ArgumentReader {
  return pipes.reduce((readBefore, pipe) => {
    const transform = pipe.transformFor(parameter);
    if (transform === undefined) return readBefore;
    return (context: MessageContext, data: unknown) => {
      const value = readBefore(context, data);
      return value instanceof Promise ? value.then(transform) : transform(value);
    };
  }, read);
}

interface Parts {
  readonly checks: readonly SessionCheck[];
  readonly interceptors: readonly MessageInterceptor[];
  readonly readers: readonly ArgumentReader[];
}

function toInvocation(handler: HandlerDefinition, { checks, interceptors, readers }: Parts): Invocation {
  const call = interceptors.reduceRight(
    (inner: Invocation, interceptor): Invocation =>
      (context, data) =>
        interceptor.around(context, () => inner(context, data)),
    plainCall(handler, readers),
  );
  if (checks.length === 0) return call;
  return (context, data) => {
    for (const check of checks) check(context.session);
    return call(context, data);
  };
}

function plainCall({ gateway, method }: HandlerDefinition, readers: readonly ArgumentReader[]): Invocation {
  const { instance } = gateway;
  return (context, data) => {
    const args: unknown[] = [];
    let mustWait = false;
    for (const read of readers) {
      const value = read(context, data);
      if (value instanceof Promise) mustWait = true;
      args.push(value);
    }
    if (!mustWait) return method.apply(instance, args);
    return Promise.all(args).then((ready) => method.apply(instance, ready));
  };
}
