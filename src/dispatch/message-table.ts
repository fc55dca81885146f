import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DirectCall, type Invocation } from './direct-call.js';
import { GatewayScanner, type HandlerDefinition } from './gateway-scanner.js';
import { NestCall, type Recovery } from './nest-call.js';

/** A handler ready to be called. */
export interface Handler {
  readonly type: string;
  readonly replyType: string;
  readonly name: string;
  readonly invoke: Invocation;
  readonly recover: Recovery | undefined;
}

export type Handlers = ReadonlyMap<string, Handler>;

/** Two gateways answer the same message type: the application cannot start. */
export class DuplicateMessageType extends Error {
  constructor(first: HandlerDefinition, second: HandlerDefinition) {
    super(`The message type "${first.type}" is registered twice: by ${first.name} and by ${second.name}`);
    this.name = 'DuplicateMessageType';
  }
}

/** Message type → handler, one table a path, compiled once when the application starts. */
@Injectable()
export class MessageTable implements OnApplicationBootstrap {
  private readonly byPath = new Map<string, Handlers>();

  constructor(
    private readonly scanner: GatewayScanner,
    private readonly directCall: DirectCall,
    private readonly nestCall: NestCall,
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
    return this.byPath.get(path) ?? new Map();
  }

  private compile(definition: HandlerDefinition): Handler {
    return {
      type: definition.type,
      replyType: `${definition.type}_reply`,
      name: definition.name,
      invoke: this.directCall.compile(definition) ?? this.nestCall.compile(definition),
      recover: this.nestCall.compileRecovery(definition),
    };
  }
}
