import { Injectable, Logger, type OnApplicationBootstrap, type Type } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { describe, enhancers, parametersOf } from './calls/direct-call.js';
import { GatewayScanner, type HandlerDefinition } from './gateway-scanner.js';
import { isMessageClass } from './validation/message-class.js';
import { PARAMETER, PIPES_METADATA } from './calls/nest-internals.js';

const PLAIN_TYPES = new Set<unknown>([Object, String, Number, Boolean, Array, BigInt, Symbol, Function, Date, Buffer]);

/** Warns at the start about common mistakes that would otherwise show only as something that does not happen. */
@Injectable()
export class StartupWarnings implements OnApplicationBootstrap {
  private readonly logger = new Logger('Gateways');

  constructor(
    private readonly scanner: GatewayScanner,
    private readonly config: ApplicationConfig,
  ) {}

  onApplicationBootstrap(): void {
    for (const advice of [...this.forgottenGateways(), ...this.unvalidatedMessages()]) this.logger.warn(advice);
  }

  /** A class with @SubscribeMessage methods that is not a gateway: none of them is called. */
  private forgottenGateways(): string[] {
    return this.scanner
      .forgottenGateways()
      .map(
        (name) =>
          `${name} has @SubscribeMessage methods but no @RealtimeGateway(), so none of them is called. Put @RealtimeGateway() before the class`,
      );
  }

  /** A payload whose class looks validated, but is not. */
  private unvalidatedMessages(): string[] {
    const handlers = this.scanner.gateways().flatMap((gateway) => this.scanner.handlersOf(gateway));
    return handlers.flatMap((handler) => {
      const messageClass = payloadClassOf(handler);
      if (messageClass === undefined || PLAIN_TYPES.has(messageClass)) return [];
      if (!isMessageClass(messageClass)) {
        return [
          `${handler.name}: ${messageClass.name} has no validation decorators, so every payload passes. Put decorators such as @IsString() on its fields`,
        ];
      }
      if (enhancers(PIPES_METADATA, handler).length > 0 || this.config.getGlobalPipes().length > 0) return [];
      return [
        `${handler.name}: ${messageClass.name} is not validated, because the class has no @RealtimeGateway(). Put @RealtimeGateway() before the class`,
      ];
    });
  }
}

/** The declared class of the whole payload; undefined if a parameter takes only a field, or has its own pipe. */
function payloadClassOf(handler: HandlerDefinition): Type | undefined {
  const payload = parametersOf(handler).find(([key]) => key.startsWith(`${PARAMETER.payload}:`))?.[1];
  if (payload === undefined || payload.data !== undefined || (payload.pipes?.length ?? 0) > 0) return undefined;
  return describe(handler, payload).metatype;
}
