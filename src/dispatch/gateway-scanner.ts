import { Injectable, type Type } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import {
  GATEWAY_METADATA,
  GATEWAY_OPTIONS,
  MESSAGE_MAPPING_METADATA,
  MESSAGE_METADATA,
  normalizePath,
} from './nest-internals.js';

type InstanceWrapper = ReturnType<DiscoveryService['getProviders']>[number];
export type GatewayMethod = (...args: unknown[]) => unknown;

/** One @SubscribeMessage method, as it stands in the code. */
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
  /** The path it asked for; undefined means WS_PATH. */
  readonly path: string | undefined;
  readonly instance: Record<string, unknown>;
  /** The key of the module that provides it, where Nest looks for its enhancers. */
  readonly moduleKey: string;
  /** False where the gateway or something it depends on is request-scoped. */
  readonly isStatic: boolean;
}

/** Finds the gateways and their handlers among the application's providers. */
@Injectable()
export class GatewayScanner {
  /** WS_PATH, told by the adapter: a gateway that names this path is on it like those that name none. */
  homePath: string | undefined;
  private readonly methods = new MetadataScanner();

  constructor(private readonly discovery: DiscoveryService) {}

  gateways(): GatewayDefinition[] {
    return this.discovery
      .getProviders()
      .filter(
        ({ metatype, isNotMetatype }) => !isNotMetatype && metatype && Reflect.hasMetadata(GATEWAY_METADATA, metatype),
      )
      .map((wrapper) => this.toGateway(wrapper));
  }

  handlersOf(gateway: GatewayDefinition): HandlerDefinition[] {
    const prototype = gateway.gatewayClass.prototype as Record<string, GatewayMethod>;
    return this.methods.getAllMethodNames(prototype).flatMap((methodName) => {
      const method = prototype[methodName];
      if (method === undefined || !Reflect.hasMetadata(MESSAGE_MAPPING_METADATA, method)) return [];
      const type = String(Reflect.getMetadata(MESSAGE_METADATA, method));
      return [{ type, name: `${gateway.gatewayClass.name}.${methodName}`, methodName, method, gateway }];
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
