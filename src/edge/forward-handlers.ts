import { Injectable } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { ERRORS, parseChannelName, type ErrorCode } from '@gatehouse/protocol';
import type { EdgeRules, ForwardRule } from '../../config/edge-file.js';
import { matcherOf } from '../../config/hooks.js';
import { APPLICATION_CODE } from '../dispatch/error-reply.js';
import type { HandlerDeadlines } from '../dispatch/calls/handler-deadlines.js';
import type { MessageContext } from '../dispatch/calls/message-context.js';
import type { MessageScope } from '../dispatch/calls/message-scope.js';
import type { FallbackHandlers, Handler } from '../dispatch/message-table.js';
import { sendable } from '../protocol/codecs/sendable.js';
import { GatehouseError } from '../protocol/gatehouse-error.js';
import { isOfTheLink, type UpstreamError } from './link/client-library.js';
import type { Upstream } from './link/upstream.js';
import type { Outbox } from './store/outbox.js';

export interface ForwardParts {
  readonly rules: EdgeRules;
  readonly outbox: Outbox;
  readonly upstream: Upstream;
  readonly deadlines: HandlerDeadlines;
  readonly scope: MessageScope | undefined;
}

/** A type pattern, and what becomes of its messages. */
interface Route {
  readonly pattern: string;
  readonly matches: (type: string) => boolean;
  readonly handle: (context: MessageContext, data: unknown) => Promise<unknown>;
}

/** What an edge says itself: with the rights of the edge, a client could publish as anybody. */
const OF_THE_EDGE = 'edge.';
const THROUGH_TIMEOUT_MS = 15_000;
const RETRY_AFTER_MS = 1_000;
/** Stores messages for the centre, or asks it, if no gateway of this node has their type. */
@Injectable()
export class ForwardHandlers implements FallbackHandlers {
  private readonly routes: readonly Route[];
  private readonly isLocal: (type: string) => boolean;

  constructor(private readonly parts: ForwardParts) {
    const { forward, through, local } = parts.rules;
    const stored = forward.flatMap((rule) =>
      rule.types.map((pattern) => routeOf(pattern, (context, data) => this.store(rule, context, data))),
    );
    const asked = through.map((pattern) => routeOf(pattern, (context, data) => this.ask(context, data)));
    this.routes = [...stored, ...asked];
    const patterns = local.map(matcherOf);
    this.isLocal = (type) => patterns.some((matches) => matches(type));
  }

  handlerFor(type: string): Handler | undefined {
    const isOwn = type.startsWith(OF_THE_EDGE) || this.isLocal(type);
    const route = isOwn ? undefined : this.routes.find(({ matches }) => matches(type));
    if (route === undefined) return undefined;
    const { deadlines, scope } = this.parts;
    const name = `the edge rule of ${route.pattern}`;
    const invoke = deadlines.limit((context, data) => route.handle(context, data), name);
    // Clients choose the type, so metrics are told the pattern: a series for each type would have no end.
    return {
      type: route.pattern,
      replyType: `${type}_reply`,
      name,
      invoke: scope?.around(invoke) ?? invoke,
      recover: undefined,
      cost: 1,
    };
  }

  private async store(rule: ForwardRule, context: MessageContext, data: unknown) {
    const { message, session, cipher } = context;
    demandSignIn(context);
    // What came encrypted would lie in plain text on the disk.
    if (cipher !== undefined) throw new GatehouseError('FORBIDDEN', { message: 'This type cannot be encrypted here' });
    const channel = rule.into.replaceAll('{type}', message.type);
    if (parseChannelName(channel) === undefined) throw new GatehouseError('VALIDATION_FAILED');
    const content = sendable({ type: message.type, data, at: Date.now(), userId: session.principal.userId });
    const storing = this.parts.outbox.append(rule, { channel, data: content });
    // The disk keeps the order, so messages of one client need not wait for each other.
    context.letNextBegin();
    return { queued: true, seq: await storing };
  }

  /** The centre's reply is the client's, and so is its error. */
  private async ask(context: MessageContext, data: unknown): Promise<unknown> {
    const { message, cipher } = context;
    demandSignIn(context);
    if (cipher !== undefined) throw new GatehouseError('FORBIDDEN', { message: 'This type cannot be encrypted here' });
    if (!this.parts.upstream.isUp) throw unavailable();
    try {
      return await this.parts.upstream.request(message.type, data, { timeoutMs: THROUGH_TIMEOUT_MS, retry: false });
    } catch (error) {
      throw errorFrom(error as UpstreamError);
    }
  }
}

function routeOf(pattern: string, handle: Route['handle']): Route {
  return { pattern, matches: matcherOf(pattern), handle };
}

/** The message goes on by the rights of the edge, so that nobody without a name may send it. */
function demandSignIn({ session }: MessageContext): void {
  if (session.principal.anonymous) throw new GatehouseError('UNAUTHENTICATED');
}

function errorFrom({ code, details, retryAfter, message, data }: UpstreamError): Error {
  if (isOfTheLink(code)) return unavailable();
  if (Object.hasOwn(ERRORS, code)) return new GatehouseError(code as ErrorCode, { details, retryAfter, data });
  if (APPLICATION_CODE.test(code)) return new WsException({ code, message, details, retryAfter });
  return unavailable();
}

function unavailable(): GatehouseError {
  return new GatehouseError('UPSTREAM_UNAVAILABLE', { retryAfter: RETRY_AFTER_MS });
}
