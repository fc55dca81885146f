import { Injectable } from '@nestjs/common';
import { matcherOf, type MessageHook } from '../../config/hooks.js';
import type { Broadcaster } from '../broadcast/broadcaster.js';
import type { Audience } from '../broadcast/audience.js';
import type { HandlerDeadlines } from '../dispatch/calls/handler-deadlines.js';
import type { MessageContext } from '../dispatch/calls/message-context.js';
import type { MessageScope } from '../dispatch/calls/message-scope.js';
import type { FallbackHandlers, Handler } from '../dispatch/message-table.js';
import { denialOf, onlyFields, refusalFrom, sessionForBackEnd, unavailable, type Denial } from './answers.js';
import type { HookAnswer } from './hook-client.js';
import type { HookClients } from './hook-clients.js';
import { HookFailure } from './hook-failure.js';

/** A message that the back end has sent to others. */
interface Outgoing {
  readonly to: { readonly user: string } | { readonly session: string } | { readonly channel: string };
  readonly type: string;
  readonly data: unknown;
}

interface Reply {
  readonly denied: Denial | undefined;
  readonly data: unknown;
  readonly messages: readonly Outgoing[];
}

interface Pattern {
  readonly text: string;
  readonly matches: (type: string) => boolean;
  readonly endpoint: string;
}

export interface MessageHookParts {
  readonly hooks: readonly MessageHook[];
  readonly clients: HookClients;
  readonly broadcaster: Broadcaster;
  readonly deadlines: HandlerDeadlines;
  readonly scope: MessageScope | undefined;
}

/** Messages of one answer. */
const MAX_MESSAGES = 100;
const MAX_TYPE_LENGTH = 128;

/** Has a back end answer messages whose types no gateway has. */
@Injectable()
export class MessageHooks implements FallbackHandlers {
  private readonly patterns: readonly Pattern[];

  constructor(private readonly parts: MessageHookParts) {
    this.patterns = parts.hooks.flatMap(({ types, endpoint }) =>
      types.map((text) => ({ text, matches: matcherOf(text), endpoint })),
    );
  }

  handlerFor(type: string): Handler | undefined {
    const pattern = this.patterns.find(({ matches }) => matches(type));
    if (pattern === undefined) return undefined;
    const { deadlines, scope } = this.parts;
    const name = `the hook of ${pattern.text}`;
    const invoke = deadlines.limit((context, data) => this.ask(pattern, context, data), name);
    // Clients choose the type, so metrics are told the pattern: a series for each type would have no end.
    return {
      type: pattern.text,
      replyType: `${type}_reply`,
      name,
      invoke: scope?.around(invoke) ?? invoke,
      recover: undefined,
      cost: 1,
    };
  }

  private async ask({ endpoint }: Pattern, { session, message, cipher }: MessageContext, data: unknown) {
    const request = { ...sessionForBackEnd(session), type: message.type, id: message.id ?? null, data };
    const reply = await this.answerOf(endpoint, request);
    if (reply.denied !== undefined) {
      const { code } = reply.denied;
      const about = { hook: 'message', endpoint, session, target: message.type } as const;
      this.parts.clients.decided({ ...about, verdict: 'denied', code });
      throw refusalFrom(reply.denied);
    }
    for (const { to, type, data: sent } of reply.messages) this.audience(to).sealedBy(cipher).emit(type, sent);
    return reply.data;
  }

  private async answerOf(endpoint: string, data: object): Promise<Reply> {
    try {
      return await this.parts.clients.post(endpoint, { type: 'message', data }, (answer) => this.read(answer));
    } catch (error) {
      if (error instanceof HookFailure) throw unavailable();
      throw error;
    }
  }

  private read(answer: HookAnswer): Reply {
    onlyFields(answer, ['data', 'error', 'messages']);
    const { data, error, messages = [] } = answer;
    if (!Array.isArray(messages) || messages.length > MAX_MESSAGES) {
      throw new Error(`its messages are not a list of at most ${MAX_MESSAGES}`);
    }
    return { denied: denialOf(error), data, messages: messages.map((each) => this.outgoing(each)) };
  }

  private outgoing(value: unknown): Outgoing {
    const { to, type, data, ...rest } = (typeof value === 'object' && value !== null ? value : {}) as Partial<Outgoing>;
    const isTyped = typeof type === 'string' && type.length > 0 && type.length <= MAX_TYPE_LENGTH;
    const targets = typeof to === 'object' && to !== null ? Object.entries(to) : [];
    const [[kind, name] = ['', '']] = targets;
    const isAddressed =
      targets.length === 1 && ['user', 'session', 'channel'].includes(kind) && typeof name === 'string';
    if (!isTyped || !isAddressed || Object.keys(rest).length > 0) {
      throw new Error('one of its messages is not { to: { user | session | channel }, type, data }');
    }
    // A channel that cannot exist is found out before anything is sent.
    this.audience(to as Outgoing['to']);
    return { to: to as Outgoing['to'], type, data };
  }

  private audience(to: Outgoing['to']): Audience {
    const { broadcaster } = this.parts;
    if ('user' in to) return broadcaster.toUser(to.user);
    return 'session' in to ? broadcaster.toSession(to.session) : broadcaster.toChannel(to.channel);
  }
}
