import { Injectable, Logger, type OnApplicationBootstrap, type PipeTransform, type Type } from '@nestjs/common';
import { ApplicationConfig, DiscoveryService, MetadataScanner } from '@nestjs/core';
import { parametersOf } from './direct-call.js';
import { GatewayScanner, type HandlerDefinition } from './gateway-scanner.js';
import { isMessageClass } from './message-class.js';
import { GATEWAY_METADATA, MESSAGE_MAPPING_METADATA, PARAMETER, PIPES_METADATA } from './nest-internals.js';

const PLAIN_TYPES = new Set<unknown>([Object, String, Number, Boolean, Array, BigInt, Symbol, Function, Date, Buffer]);

/** Tells at start of what is easily forgotten and would otherwise only show as something that does not happen. */
@Injectable()
export class GatewayAdvice implements OnApplicationBootstrap {
  private readonly logger = new Logger('Gateways');
  private readonly methods = new MetadataScanner();

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: GatewayScanner,
    private readonly config: ApplicationConfig,
  ) {}

  onApplicationBootstrap(): void {
    for (const advice of [...this.forgottenGateways(), ...this.unvalidatedMessages()]) this.logger.warn(advice);
  }

  /** A class with @SubscribeMessage methods that is no gateway: none of them is called. */
  private forgottenGateways(): string[] {
    return this.discovery
      .getProviders()
      .filter(
        ({ metatype, isNotMetatype }) => !isNotMetatype && metatype && !Reflect.hasMetadata(GATEWAY_METADATA, metatype),
      )
      .filter(({ metatype }) => this.hasHandlers(metatype as Type))
      .map(({ name }) => `${String(name)} has @SubscribeMessage methods but is no @RealtimeGateway(): none is called`);
  }

  /** A payload whose class looks validated, and is not. */
  private unvalidatedMessages(): string[] {
    const handlers = this.scanner.gateways().flatMap((gateway) => this.scanner.handlersOf(gateway));
    return handlers.flatMap((handler) => {
      const messageClass = payloadClassOf(handler);
      if (messageClass === undefined || PLAIN_TYPES.has(messageClass)) return [];
      if (!isMessageClass(messageClass)) {
        return [`${handler.name}: ${messageClass.name} has no validation decorators, so every payload passes`];
      }
      if (hasPipes(handler) || this.config.getGlobalPipes().length > 0) return [];
      return [`${handler.name}: ${messageClass.name} is not validated, for the class is no @RealtimeGateway()`];
    });
  }

  private hasHandlers({ prototype }: Type): boolean {
    const methods = prototype as Record<string, object> | undefined;
    if (methods === undefined) return false;
    return this.methods
      .getAllMethodNames(methods)
      .some((name) => methods[name] && Reflect.hasMetadata(MESSAGE_MAPPING_METADATA, methods[name]));
  }
}

/** The declared class of the whole payload; undefined where a parameter takes only a field, or brings its own pipe. */
function payloadClassOf(handler: HandlerDefinition): Type | undefined {
  const payload = parametersOf(handler).find(([key]) => key.startsWith(`${PARAMETER.payload}:`))?.[1];
  if (payload === undefined || payload.data !== undefined || (payload.pipes?.length ?? 0) > 0) return undefined;
  const prototype = handler.gateway.gatewayClass.prototype as object;
  const types = Reflect.getMetadata('design:paramtypes', prototype, handler.methodName) as Type[] | undefined;
  return types?.[payload.index];
}

function hasPipes({ gateway, method }: HandlerDefinition): boolean {
  return [gateway.gatewayClass, method].some((target) => {
    const pipes = Reflect.getMetadata(PIPES_METADATA, target) as (PipeTransform | Type)[] | undefined;
    return (pipes?.length ?? 0) > 0;
  });
}
