import { Injectable } from '@nestjs/common';
import { SessionRegistry } from '../sessions/session-registry.js';
import { Audience, type Selection } from './audience.js';

/**
 * Sends to many: `broadcaster.toUser('alice').emit('order.shipped', { id })`.
 * A message is encoded once per codec, however many receive it.
 */
@Injectable()
export class Broadcaster {
  constructor(private readonly sessions: SessionRegistry) {}

  /** Every open session. */
  toEveryone(): Audience {
    return this.to((visit) => this.sessions.forEach(visit));
  }

  /** Every session of a signed-in user. */
  toUser(userId: string): Audience {
    return this.to((visit) => this.sessions.ofUser(userId).forEach(visit));
  }

  /** One session, if it is still open. */
  toSession(sessionId: string): Audience {
    return this.to((visit) => {
      const session = this.sessions.get(sessionId);
      if (session) visit(session);
    });
  }

  /** Every session that has the role. */
  toRole(role: string): Audience {
    return this.to((visit) =>
      this.sessions.forEach((session) => {
        if (session.roles.includes(role)) visit(session);
      }),
    );
  }

  private to(select: Selection): Audience {
    return new Audience({ select, events: this.sessions.events });
  }
}
