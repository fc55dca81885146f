import type { OnApplicationShutdown } from '@nestjs/common';
import { HOOK_EVENTS, matcherOf, type EventHook, type HookEventType } from '../../config/hooks.js';
import type { SessionEvents } from '../sessions/session-events.js';
import { sessionForBackEnd } from './answers.js';
import { EventQueue } from './event-queue.js';
import type { HookClients } from './hook-clients.js';
import type { HookEvents } from './hook-events.js';

/** How long the end of the process waits for the back end. */
const FLUSH_MS = 5_000;

interface EventHookParts {
  readonly hook: EventHook;
  readonly clients: HookClients;
  readonly events: HookEvents;
  readonly sessions: SessionEvents;
}

/** Tells the back end of sessions and members that come and go. */
export class EventHooks implements OnApplicationShutdown {
  private readonly queue: EventQueue;
  private readonly wanted: ReadonlySet<HookEventType>;

  constructor({ sessions, ...parts }: EventHookParts) {
    this.queue = new EventQueue(parts);
    const patterns = parts.hook.types.map(matcherOf);
    this.wanted = new Set(HOOK_EVENTS.filter((type) => patterns.some((matches) => matches(type))));
    sessions.on('opened', (session) => this.tell('session.opened', sessionForBackEnd(session)));
    sessions.on('closed', (session, code, reason) =>
      this.tell('session.closed', { ...sessionForBackEnd(session), code, reason }),
    );
    sessions.on('joined', (channel, userId) => this.tell('member.joined', { channel, user: userId }));
    sessions.on('left', (channel, userId) => this.tell('member.left', { channel, user: userId }));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.queue.close(FLUSH_MS);
  }

  private tell(type: HookEventType, data: object): void {
    if (this.wanted.has(type)) this.queue.push(type, data);
  }
}
