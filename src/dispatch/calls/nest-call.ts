import { Injectable } from '@nestjs/common';
import { ContextIdFactory, ExternalContextCreator, ModuleRef, type ContextId, type ParamsFactory } from '@nestjs/core';
import { fieldOf, parametersOf, type Invocation } from './direct-call.js';
import type { GatewayDefinition, GatewayMethod, HandlerDefinition } from '../gateway-scanner.js';
import type { MessageContext } from './message-context.js';
import { ExecutionContextHost, GATEWAY_SERVER_METADATA, PARAMETER, ROUTE_ARGS_METADATA } from './nest-internals.js';

/** The result of a user's exception filters; undefined if none took the exception or returned anything. */
export type Recovery = (exception: unknown, context: MessageContext, data: unknown) => unknown;

interface ExceptionFilters {
  readonly filters: readonly unknown[];
  invokeCustomFilters(exception: unknown, host: ExecutionContextHost): unknown;
}

interface FilterContext {
  create(instance: object, method: GatewayMethod, moduleKey: string, contextId?: ContextId): ExceptionFilters;
}

const parameters: ParamsFactory = {
  exchangeKeyForValue(type, data, args: [unknown, unknown]) {
    if (type === PARAMETER.socket) return args[0];
    if (type !== PARAMETER.payload) return undefined;
    return typeof data === 'string' ? fieldOf(args[1], data) : args[1];
  },
};

/**
 * Calls handlers through Nest's own execution context, with every guard, pipe, interceptor and parameter decorator that
 * Nest supports. Filters run separately, because they must also see what a handler's Observable throws later.
 */
@Injectable()
export class NestCall {
  constructor(
    private readonly contexts: ExternalContextCreator,
    private readonly moduleRef: ModuleRef,
  ) {
    // Nest would reduce an Observable to its last value; here each value is a reply.
    contexts.transformToResult = <T>(result: T): Promise<T> => Promise.resolve(result);
  }

  compile(handler: HandlerDefinition): Invocation {
    declareDefaultParameters(handler);
    const { gateway, type } = handler;
    if (!gateway.isStatic) return this.compilePerConnection(handler);
    const call = this.create(handler, gateway.instance);
    return (context, data) => call(context.session.connection, data, context, type);
  }

  /** Undefined if the handler has no filter. */
  compileRecovery(handler: HandlerDefinition): Recovery | undefined {
    const { gateway, method } = handler;
    // Private in Nest, but the only access to filters that does not also log every exception they let pass.
    const filterContext = (this.contexts as unknown as { filtersContextCreator: FilterContext }).filtersContextCreator;
    const filtersFor = (contextId?: ContextId): ExceptionFilters =>
      filterContext.create(gateway.instance, method, gateway.moduleKey, contextId);
    if (!gateway.isStatic) {
      return (exception, context, data) =>
        filtersFor(this.contextIdOf(context.session.connection)).invokeCustomFilters(
          exception,
          hostOf(handler, context, data),
        );
    }
    const filters = filtersFor();
    if (filters.filters.length === 0) return undefined;
    return (exception, context, data) => filters.invokeCustomFilters(exception, hostOf(handler, context, data));
  }

  /** Request-scoped gateways live as long as their connection, as in Nest's own adapter. */
  private compilePerConnection(handler: HandlerDefinition): Invocation {
    const { gateway, type } = handler;
    return async (context, data) => {
      const { connection } = context.session;
      const instance = await this.instanceFor(gateway, connection);
      return this.create(handler, instance, this.contextIdOf(connection))(connection, data, context, type);
    };
  }

  /** The instance of a request-scoped gateway for a connection. */
  async instanceFor(gateway: GatewayDefinition, connection: object): Promise<Record<string, unknown>> {
    const contextId = this.contextIdOf(connection);
    const instance = await this.moduleRef.resolve<Record<string, unknown>>(gateway.gatewayClass, contextId, {
      strict: false,
    });
    // Nest sets @WebSocketServer() properties only on instances that exist when the application starts.
    for (const name in gateway.instance) {
      if (Reflect.hasMetadata(GATEWAY_SERVER_METADATA, instance, name)) instance[name] = gateway.instance[name];
    }
    return instance;
  }

  private readonly contextIds = new WeakMap<object, ContextId>();

  private contextIdOf(connection: object): ContextId {
    const known = this.contextIds.get(connection);
    if (known) return known;
    const contextId = ContextIdFactory.create();
    this.moduleRef.registerRequestByContextId(connection, contextId);
    this.contextIds.set(connection, contextId);
    return contextId;
  }

  private create({ methodName, method }: HandlerDefinition, instance: object, contextId?: ContextId) {
    const options = { guards: true, interceptors: true, filters: false };
    return this.contexts.create(
      instance,
      method,
      methodName,
      ROUTE_ARGS_METADATA,
      parameters,
      contextId,
      undefined,
      options,
      'ws',
    );
  }
}

function hostOf({ gateway, method, type }: HandlerDefinition, context: MessageContext, data: unknown) {
  const host = new ExecutionContextHost(
    [context.session.connection, data, context, type],
    gateway.gatewayClass,
    method,
  );
  host.setType('ws');
  return host;
}

/** So that pipes also see the payload of a handler without parameter decorators, as in Nest's own adapter. */
function declareDefaultParameters(handler: HandlerDefinition): void {
  const declared = Object.fromEntries(
    parametersOf(handler).map(([key, parameter]) => [key, { pipes: [], data: undefined, ...parameter }]),
  );
  Reflect.defineMetadata(ROUTE_ARGS_METADATA, declared, handler.gateway.gatewayClass, handler.methodName);
}
