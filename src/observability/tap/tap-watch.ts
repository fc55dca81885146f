import type { ServerMessage } from '@gatehouse/protocol';
import type { MessageContext } from '../../dispatch/calls/message-context.js';
import type { DispatchEvents, RefusedMessage } from '../../dispatch/dispatch-events.js';
import type { SessionRegistry } from '../../sessions/session-registry.js';
import type { Session } from '../../sessions/session.js';
import { unwatchFrames, watchFrames, type FrameWatcher } from '../../socket/tapped-queue.js';
import { clientText } from '../client-text.js';
import { shownPayload } from './shown-payload.js';
import type { TapLine } from './tap.messages.js';

/** What is watched. Exactly one field is set. */
export interface TapFilter {
  readonly userId?: string;
  readonly sessionId?: string;
  readonly channel?: string;
  readonly type?: string;
}

/** A line before it has the id of its tap, its time and its node. */
export type SeenLine = Omit<TapLine, 'tapId' | 'at' | 'node' | 'leftOut'>;

interface TapWatchOptions {
  readonly filter: TapFilter;
  readonly showsPayload: boolean;
  readonly sessions: SessionRegistry;
  readonly messages: DispatchEvents;
  /** @param line called only if there is room for another line */
  readonly take: (line: () => SeenLine) => void;
}

/** A frame that a watched session was given. The message that it carries is told right afterwards. */
interface Pending {
  readonly session: Session;
  readonly frame: Buffer;
  readonly isTaken: boolean;
}

/** Characters of the name of a channel. */
const MAX_CHANNEL_LENGTH = 255;
/** Messages that a tap never shows: its own. */
const OWN_TYPES = 'tap.';

/**
 * Watches the messages of this node for one tap. It listens to events that are emitted anyway, and stands in front of
 * the outbound queues of the sessions that it watches. So without a tap, no message costs anything.
 */
export class TapWatch {
  private readonly watched = new Map<Session, FrameWatcher>();
  private pending: Pending[] = [];
  private readonly isAboutSessions: boolean;

  constructor(private readonly options: TapWatchOptions) {
    const { filter, sessions, messages } = options;
    this.isAboutSessions = filter.userId !== undefined || filter.sessionId !== undefined;
    messages.on('handled', this.handled);
    messages.on('refused', this.refused);
    sessions.events.on('sent', this.sent);
    if (!this.isAboutSessions) return;
    sessions.events.on('opened', this.opened);
    sessions.events.on('closed', this.closed);
    for (const session of this.present()) this.watch(session);
  }

  stop(): void {
    const { sessions, messages } = this.options;
    messages.off('handled', this.handled);
    messages.off('refused', this.refused);
    sessions.events.off('sent', this.sent);
    sessions.events.off('opened', this.opened);
    sessions.events.off('closed', this.closed);
    for (const [session, watcher] of this.watched) unwatchFrames(session.connection, watcher);
    this.watched.clear();
    this.pending = [];
  }

  private readonly handled = (type: string, ms: number, context: MessageContext): void => {
    const { session, message, bytes, outcome } = context;
    if (!this.isMeant({ session, type, channel: channelIn(message.data) })) return;
    this.options.take(() => ({
      direction: 'in',
      type,
      outcome,
      ...originOf(session),
      ...channelField(channelIn(message.data)),
      bytes,
      ms: Math.round(ms * 100) / 100,
      ...this.payload({ type, bytes, enc: message.enc, data: message.data }),
    }));
  };

  private readonly refused = (code: string, { session, type, bytes }: RefusedMessage): void => {
    if (!this.isMeant({ session, type, channel: undefined })) return;
    this.options.take(() => ({ direction: 'in', type, outcome: code, ...originOf(session), bytes }));
  };

  private readonly sent = (
    type: string,
    bytes: number,
    sessions: number,
    message: ServerMessage,
    frame: Buffer,
  ): void => {
    if (type.startsWith(OWN_TYPES)) return this.forget(frame);
    if (this.isAboutSessions) return this.tellPending(message, frame);
    const channel = 'channel' in message ? message.channel : undefined;
    const { filter } = this.options;
    if (filter.type === undefined ? channel !== filter.channel : type !== filter.type) return;
    this.options.take(() => ({ ...this.outgoing(message, bytes), outcome: 'sent', sessions }));
  };

  private readonly opened = (session: Session): void => {
    if (!this.isWatchable(session)) return;
    this.watch(session);
    this.options.take(() => ({ direction: 'event', type: 'opened', outcome: 'ok', ...originOf(session) }));
  };

  private readonly closed = (session: Session, code: number): void => {
    if (!this.watched.delete(session)) return;
    this.options.take(() => ({ direction: 'event', type: 'closed', outcome: String(code), ...originOf(session) }));
  };

  private present(): readonly Session[] {
    const { filter, sessions } = this.options;
    if (filter.userId !== undefined) return sessions.ofUser(filter.userId);
    const session = sessions.get(filter.sessionId ?? '');
    return session === undefined ? [] : [session];
  }

  private watch(session: Session): void {
    const watcher: FrameWatcher = (frame, isTaken) => {
      if (this.pending.length === 0) setImmediate(() => this.tellUnknown());
      this.pending.push({ session, frame, isTaken });
    };
    this.watched.set(session, watcher);
    watchFrames(session.connection, watcher);
  }

  private tellPending(message: ServerMessage, frame: Buffer): void {
    const own = this.pending.filter((one) => one.frame === frame);
    if (own.length === 0) return;
    this.forget(frame);
    for (const { session, isTaken } of own) this.tell(session, { isTaken, ...this.outgoing(message, frame.length) });
  }

  /** Nobody took these frames, so nobody said what they carry. */
  private tellUnknown(): void {
    const left = this.pending;
    this.pending = [];
    for (const { session, frame, isTaken } of left) {
      this.tell(session, { isTaken, direction: 'out', type: 'unknown', bytes: frame.length });
    }
  }

  private tell(
    session: Session,
    { isTaken, ...line }: Omit<SeenLine, 'outcome'> & { readonly isTaken: boolean },
  ): void {
    this.options.take(() => ({ ...line, outcome: isTaken ? 'sent' : 'dropped', ...originOf(session) }));
  }

  private forget(frame: Buffer): void {
    if (this.pending.length > 0) this.pending = this.pending.filter((one) => one.frame !== frame);
  }

  private outgoing(message: ServerMessage, bytes: number): Omit<SeenLine, 'outcome'> {
    const { type } = message;
    if (message.type === 'error' && 'code' in message)
      return { direction: 'out', type: `error ${message.code}`, bytes };
    const { channel, seq, enc, data } = message as Exclude<ServerMessage, { type: 'error' }>;
    const place = { ...channelField(channel), ...(seq !== undefined && { seq }) };
    return { direction: 'out', type, bytes, ...place, ...this.payload({ type, bytes, enc, data }) };
  }

  private payload(message: Parameters<typeof shownPayload>[0]): { readonly payload?: string } {
    const payload = this.options.showsPayload ? shownPayload(message) : undefined;
    return payload === undefined ? {} : { payload };
  }

  private isMeant({
    session,
    type,
    channel,
  }: {
    session: Session;
    type: string;
    channel: string | undefined;
  }): boolean {
    const { filter } = this.options;
    if (type.startsWith(OWN_TYPES)) return false;
    if (filter.type !== undefined) return type === filter.type;
    return filter.channel === undefined ? this.isWatchable(session) : channel === filter.channel;
  }

  private isWatchable({ id, principal }: Session): boolean {
    const { userId, sessionId } = this.options.filter;
    return userId === undefined ? id === sessionId : !principal.anonymous && principal.userId === userId;
  }
}

function originOf({ id, principal }: Session): Pick<SeenLine, 'session' | 'user'> {
  return principal.anonymous ? { session: id } : { session: id, user: principal.userId };
}

function channelField(channel: string | undefined): Pick<SeenLine, 'channel'> {
  return channel === undefined ? {} : { channel };
}

/** Undefined for what cannot be the name of a channel: a client may put anything there, even a token. */
function channelIn(data: unknown): string | undefined {
  if (typeof data !== 'object' || data === null || !('channel' in data)) return undefined;
  const { channel } = data;
  return typeof channel === 'string' && clientText(channel, MAX_CHANNEL_LENGTH) === channel ? channel : undefined;
}
