import { Injectable, Optional, type OnApplicationBootstrap } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { messageCost } from '../access/limits/message-cost.js';
import { MessageRates } from '../access/limits/message-rate.js';
import type { Invocation } from './calls/direct-call.js';
import { DispatchSettings } from './dispatch-settings.js';
import { GatewayScanner, type HandlerDefinition } from './gateway-scanner.js';
import { Invocations } from './calls/invocations.js';
import { RuntimeInterceptors } from './calls/runtime-interceptors.js';
import type { Recovery } from './calls/nest-call.js';

/** A compiled handler. */
export interface Handler {
  readonly type: string;
  readonly replyType: string;
  readonly name: string;
  readonly invoke: Invocation;
  readonly recover: Recovery | undefined;
  /** Tokens that a message of this type costs. */
  readonly cost: number;
}

export type Handlers = Pick<ReadonlyMap<string, Handler>, 'get' | 'keys'>;

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

/** The cost of a handler is more than any client can pay, or not a whole number. The application does not start. */
export class UnusableMessageCost extends Error {
  constructor({ name, type }: HandlerDefinition, cost: number, max: number | undefined) {
    const bounds = max === undefined ? 'at least 1' : `from 1 to ${max}, the burst that the message rates allow`;
    super(`@MessageCost(${cost}) on ${name} ("${type}") must be a whole number of tokens, ${bounds}`);
    this.name = 'UnusableMessageCost';
  }
}

/** The handlers of one path. Sessions keep it, so it changes in place when interceptors come and go. */
class PathTable implements Handlers {
  private composed: ReadonlyMap<string, Handler> = new Map();

  constructor(
    private readonly compiled: readonly Handler[],
    private readonly interceptors: RuntimeInterceptors,
    private readonly fallback: FallbackHandlers | undefined,
  ) {
    this.compose();
    interceptors.on('changed', () => this.compose());
  }

  get(type: string): Handler | undefined {
    const handler = this.composed.get(type);
    if (handler !== undefined || this.fallback === undefined) return handler;
    const found = this.fallback.handlerFor(type);
    return found && this.interceptors.around(found);
  }

  keys(): MapIterator<string> {
    return this.composed.keys();
  }

  private compose(): void {
    this.composed = new Map(this.compiled.map((handler) => [handler.type, this.interceptors.around(handler)]));
  }
}

/**
 * Message type → handler, one table a path. The calls are compiled when the application starts; interceptors that come and go
 * at run time are put around the compiled calls whenever one does.
 */
@Injectable()
export class MessageTable implements OnApplicationBootstrap {
  private readonly byPath = new Map<string, PathTable>();
  private readonly reflector = new Reflector();

  constructor(
    private readonly settings: DispatchSettings,
    private readonly scanner: GatewayScanner,
    private readonly invocations: Invocations,
    private readonly rates: MessageRates,
    private readonly interceptors: RuntimeInterceptors,
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
      this.byPath.set(path, this.tableOf([...onPath.values()].map((each) => this.compile(each))));
    }
  }

  /** @param path as the gateways declare it; empty for those that declare none */
  of(path: string): Handlers {
    const present = this.byPath.get(path) ?? this.tableOf([]);
    this.byPath.set(path, present);
    return present;
  }

  private tableOf(handlers: readonly Handler[]): PathTable {
    return new PathTable(handlers, this.interceptors, this.fallback);
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
