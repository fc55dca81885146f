import { Inject, Injectable, type Type } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { Settings } from '../../config/settings.js';
import {
  GATEWAY_METADATA,
  GATEWAY_OPTIONS,
  MESSAGE_MAPPING_METADATA,
  MESSAGE_METADATA,
  normalizePath,
} from './calls/nest-internals.js';

type InstanceWrapper = ReturnType<DiscoveryService['getProviders']>[number];
export type GatewayMethod = (...args: unknown[]) => unknown;

/** One @SubscribeMessage method of a gateway. */
export interface HandlerDefinition {
  readonly type: string;
  /** `ChatGateway.post`, for messages to people. */
  readonly name: string;
  readonly methodName: string;
  readonly method: GatewayMethod;
  readonly gateway: GatewayDefinition;
}

export interface GatewayDefinition {
  readonly gatewayClass: Type;
  /** The path that it declares; undefined means WS_PATH. */
  readonly path: string | undefined;
  readonly instance: Record<string, unknown>;
  /** The key of the module that provides it, where Nest looks for its enhancers. */
  readonly moduleKey: string;
  /** False if the gateway or one of its dependencies is request-scoped. */
  readonly isStatic: boolean;
}

/** Remembers the methods of a class, also for the next server of this process. */
const METHODS = new MetadataScanner();

/** Finds the gateways and their handlers among the application's providers. */
@Injectable()
export class GatewayScanner {
  /** A gateway that declares this path shares it with those that declare none. */
  private readonly homePath: string;

  constructor(
    private readonly discovery: DiscoveryService,
    @Inject(Settings) { server }: Pick<Settings, 'server'>,
  ) {
    this.homePath = server.wsPath;
  }

  gateways(): GatewayDefinition[] {
    return this.discovery
      .getProviders()
      .filter((wrapper) => isClassProvider(wrapper) && isGateway(wrapper))
      .map((wrapper) => this.toGateway(wrapper));
  }

  handlersOf(gateway: GatewayDefinition): HandlerDefinition[] {
    return this.handlerMethodsOf(gateway.gatewayClass).map(([methodName, method]) => {
      const type = String(Reflect.getMetadata(MESSAGE_METADATA, method));
      return { type, name: `${gateway.gatewayClass.name}.${methodName}`, methodName, method, gateway };
    });
  }

  /** The names of classes with @SubscribeMessage methods that are not gateways. */
  forgottenGateways(): string[] {
    return this.discovery
      .getProviders()
      .filter((wrapper) => isClassProvider(wrapper) && !isGateway(wrapper))
      .filter(({ metatype }) => this.handlerMethodsOf(metatype as Type).length > 0)
      .map(({ name }) => String(name));
  }

  private handlerMethodsOf({ prototype }: Type): [name: string, method: GatewayMethod][] {
    const methods = prototype as Record<string, GatewayMethod> | undefined;
    if (methods === undefined) return [];
    return METHODS.getAllMethodNames(methods).flatMap((name) => {
      const method = methods[name];
      return method && Reflect.hasMetadata(MESSAGE_MAPPING_METADATA, method) ? [[name, method]] : [];
    });
  }

  private toGateway(wrapper: InstanceWrapper): GatewayDefinition {
    const gatewayClass = wrapper.metatype as Type;
    const options = (Reflect.getMetadata(GATEWAY_OPTIONS, gatewayClass) ?? {}) as { path?: string };
    const path = options.path === undefined ? undefined : normalizePath(options.path);
    return {
      gatewayClass,
      path: path === this.homePath ? undefined : path,
      instance: wrapper.instance as Record<string, unknown>,
      moduleKey: wrapper.host?.token ?? '',
      isStatic: wrapper.isDependencyTreeStatic(),
    };
  }
}

function isClassProvider({ metatype, isNotMetatype }: InstanceWrapper): boolean {
  return !isNotMetatype && Boolean(metatype);
}

function isGateway({ metatype }: InstanceWrapper): boolean {
  return Reflect.hasMetadata(GATEWAY_METADATA, metatype as Type);
}
