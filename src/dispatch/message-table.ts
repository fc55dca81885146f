import { Injectable, Optional, type OnApplicationBootstrap } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { messageCost } from '../access/limits/message-cost.js';
import { MessageRates } from '../access/limits/message-rate.js';
import type { Invocation } from './calls/direct-call.js';
import { DispatchSettings } from './dispatch-settings.js';
import { GatewayScanner, type HandlerDefinition } from './gateway-scanner.js';
import { Invocations } from './calls/invocations.js';
import type { Recovery } from './calls/nest-call.js';

/** A handler ready to be called. */
export interface Handler {
  readonly type: string;
  readonly replyType: string;
  readonly name: string;
  readonly invoke: Invocation;
  readonly recover: Recovery | undefined;
  /** Tokens that a message of this type costs. */
  readonly cost: number;
}

export type Handlers = ReadonlyMap<string, Handler>;

/** A port: handlers for message types that no gateway has. May be absent. */
export abstract class FallbackHandlers {
  /** @returns undefined: the type is unknown */
  abstract handlerFor(type: string): Handler | undefined;
}

/** Two gateways answer the same message type: the application cannot start. */
export class DuplicateMessageType extends Error {
  constructor(first: HandlerDefinition, second: HandlerDefinition) {
    super(
      `The message type "${first.type}" is registered twice: by ${first.name} and by ${second.name}. Rename one of them, or remove the ` +
        'module that provides it from the imports',
    );
    this.name = 'DuplicateMessageType';
  }
}

/** A handler costs what no client can pay, or no whole number of tokens: the application cannot start. */
export class UnusableMessageCost extends Error {
  constructor({ name, type }: HandlerDefinition, cost: number, max: number | undefined) {
    const bounds = max === undefined ? 'at least 1' : `from 1 to ${max}, the burst that the message rates allow`;
    super(`@MessageCost(${cost}) on ${name} ("${type}") must be a whole number of tokens, ${bounds}`);
    this.name = 'UnusableMessageCost';
  }
}

/** A table that asks the fallback for types which no gateway has. */
class HandlersWithFallback extends Map<string, Handler> {
  constructor(
    handlers: Handlers,
    private readonly fallback: FallbackHandlers,
  ) {
    super(handlers);
  }

  override get(type: string): Handler | undefined {
    return super.get(type) ?? this.fallback.handlerFor(type);
  }
}

/** Message type → handler, one table a path, compiled once when the application starts. */
@Injectable()
export class MessageTable implements OnApplicationBootstrap {
  private readonly byPath = new Map<string, Handlers>();
  private readonly reflector = new Reflector();

  constructor(
    private readonly settings: DispatchSettings,
    private readonly scanner: GatewayScanner,
    private readonly invocations: Invocations,
    private readonly rates: MessageRates,
    @Optional() private readonly fallback?: FallbackHandlers,
  ) {}

  onApplicationBootstrap(): void {
    const definitions = new Map<string, Map<string, HandlerDefinition>>();
    for (const gateway of this.scanner.gateways()) {
      const path = gateway.path ?? '';
      const onPath = definitions.get(path) ?? new Map<string, HandlerDefinition>();
      definitions.set(path, onPath);
      for (const handler of this.scanner.handlersOf(gateway)) {
        const present = onPath.get(handler.type);
        if (present) throw new DuplicateMessageType(present, handler);
        onPath.set(handler.type, handler);
      }
    }
    for (const [path, onPath] of definitions) {
      this.byPath.set(path, new Map([...onPath].map(([type, definition]) => [type, this.compile(definition)])));
    }
  }

  /** @param path as the gateways declare it; empty for those that declare none */
  of(path: string): Handlers {
    const handlers = this.byPath.get(path) ?? new Map<string, Handler>();
    return this.fallback === undefined ? handlers : new HandlersWithFallback(handlers, this.fallback);
  }

  private compile(definition: HandlerDefinition): Handler {
    const { scope } = this.settings;
    const invoke = this.invocations.compile(definition);
    const recover = this.invocations.compileRecovery(definition);
    return {
      type: definition.type,
      replyType: `${definition.type}_reply`,
      name: definition.name,
      invoke: scope?.around(invoke) ?? invoke,
      recover: (recover && scope?.aroundRecovery(recover)) ?? recover,
      cost: this.costOf(definition),
    };
  }

  private costOf(definition: HandlerDefinition): number {
    const { gateway, method } = definition;
    const cost = messageCost(this.reflector, { gateway: gateway.gatewayClass, method });
    const { maxCost } = this.rates;
    if (!Number.isSafeInteger(cost) || cost < 1 || (maxCost !== undefined && cost > maxCost)) {
      throw new UnusableMessageCost(definition, cost, maxCost);
    }
    return cost;
  }
}
