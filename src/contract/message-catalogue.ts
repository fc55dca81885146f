import { Inject, Injectable, type OnApplicationBootstrap, type Type } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { Settings } from '../../config/settings.js';
import { ChannelHooks } from '../channels/channel-hooks.js';
import { GatewayScanner, type HandlerDefinition } from '../dispatch/gateway-scanner.js';
import { MessageValidationPipe } from '../dispatch/validation/message-validation.pipe.js';
import type { DeclaredType } from './declared-type.js';
import { eventsOf, type DeclaredEvent } from './emits.js';
import { HandlerRulesReader, type HandlerRules } from './handler-rules.js';
import { replyTypeOf, requestTypeOf, type PayloadType } from './payload-type.js';
import { publicationClasses, type DeclaredPublication } from './publication-classes.js';
import { replyOf } from './reply.js';

/** A message that clients send, and what they are answered. */
export interface DeclaredRequest {
  readonly type: string;
  /** Where it is answered: WS_PATH, or the path of its gateway. */
  readonly path: string;
  readonly data: PayloadType;
  readonly reply: PayloadType;
  /** The application's own codes. */
  readonly errors: readonly string[];
  readonly rules: HandlerRules;
}

/** Two classes declare the same event with different data: the application cannot start. */
export class ConflictingEvent extends Error {
  constructor(first: DeclaredEvent, second: DeclaredEvent) {
    super(
      `@Emits('${first.type}') stands on ${first.source} with ${nameOf(first.data)}, and on ${second.source} with ${nameOf(second.data)}. ` +
        'Clients know one class for a type: use the same class, or rename one of the types',
    );
    this.name = 'ConflictingEvent';
  }
}

/** Every message of the application: what its handlers take and answer, what it sends, and what is published in its channels. */
@Injectable()
export class MessageCatalogue implements OnApplicationBootstrap {
  private readonly validation = new MessageValidationPipe();

  constructor(
    @Inject(Settings) private readonly settings: Pick<Settings, 'server' | 'channels'>,
    private readonly scanner: GatewayScanner,
    private readonly discovery: DiscoveryService,
    private readonly rules: HandlerRulesReader,
    private readonly hooks: ChannelHooks,
  ) {}

  /**
   * Finds at start what would make the contract wrong, and has the publications of clients validated.
   *
   * @throws UnusableSettings or ConflictingEvent
   */
  onApplicationBootstrap(): void {
    for (const { namespace, data } of this.publications()) {
      const validate = data && this.validation.transformFor({ type: 'body', metatype: data, data: 'data' });
      if (validate) this.hooks.add('publish', namespace, (request) => validate(request.data));
    }
  }

  /** The path of handlers that name none. */
  get homePath(): string {
    return this.settings.server.wsPath;
  }

  requests(): DeclaredRequest[] {
    return this.scanner
      .gateways()
      .flatMap((gateway) => this.scanner.handlersOf(gateway))
      .map((handler) => this.requestOf(handler))
      .toSorted(byType);
  }

  /** @throws ConflictingEvent */
  events(): DeclaredEvent[] {
    const byName = new Map<string, DeclaredEvent>();
    const providers = new Set(this.discovery.getProviders().map(({ metatype }) => metatype));
    for (const event of [...providers].flatMap((provider) =>
      typeof provider === 'function' ? eventsOf(provider) : [],
    )) {
      const present = byName.get(event.type);
      if (present && !isSame(present.data, event.data)) throw new ConflictingEvent(present, event);
      byName.set(event.type, event);
    }
    return [...byName.values()].toSorted(byType);
  }

  /** @throws UnusableSettings where a namespace names a class that is not there */
  publications(): DeclaredPublication[] {
    return publicationClasses(this.settings.channels, this.namedClasses());
  }

  private requestOf(handler: HandlerDefinition): DeclaredRequest {
    return {
      type: handler.type,
      path: handler.gateway.path ?? this.homePath,
      data: requestTypeOf(handler),
      reply: replyTypeOf(handler),
      errors: replyOf(handler.method)?.errors ?? [],
      rules: this.rules.rulesOf(handler),
    };
  }

  /** Those that requests, replies and events of this application use. */
  private namedClasses(): Type[] {
    const payloads = this.requests().flatMap(({ data, reply }) => [data, reply]);
    const ofPayloads = payloads.flatMap((payload) => (payload.kind === 'declared' ? [payload.type] : []));
    const ofEvents = this.events().flatMap(({ data }) => (data === undefined ? [] : [data]));
    return [...ofPayloads, ...ofEvents].map(classOf);
  }
}

function classOf(declared: DeclaredType): Type {
  return typeof declared === 'function' ? declared : declared[0];
}

function isSame(one: DeclaredType | undefined, other: DeclaredType | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return typeof one === typeof other && classOf(one) === classOf(other);
}

function nameOf(data: DeclaredType | undefined): string {
  if (data === undefined) return 'no class';
  return typeof data === 'function' ? data.name : `a list of ${data[0].name}`;
}

function byType(one: { readonly type: string }, other: { readonly type: string }): number {
  return one.type < other.type ? -1 : 1;
}
