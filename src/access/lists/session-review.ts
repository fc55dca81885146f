import { Injectable } from '@nestjs/common';
import { hasSameRights, type Principal } from '../../authentication/principal.js';
import { SessionRegistry } from '../../sessions/session-registry.js';
import type { Session } from '../../sessions/session.js';

/** The effect of an order on sessions and subscriptions. */
export interface Effect {
  /** Sessions that were closed. */
  readonly ended: number;
  /** Sessions whose rights changed. */
  readonly changed: number;
  /** Subscriptions of those sessions that are not allowed any more. */
  readonly dropped: number;
}

export const NO_EFFECT: Effect = { ended: 0, changed: 0, dropped: 0 };

export function sumOf(effects: readonly Effect[]): Effect {
  return effects.reduce((sum, { ended, changed, dropped }) => ({
    ended: sum.ended + ended,
    changed: sum.changed + changed,
    dropped: sum.dropped + dropped,
  }));
}

/** The current principal; undefined if its token is not valid any more. */
export type Judge = (principal: Principal) => Principal | undefined;

/** Brings open sessions of this node in line with the current state of their tokens. */
@Injectable()
export class SessionReview {
  constructor(private readonly sessions: SessionRegistry) {}

  all(judge: Judge): Promise<Effect> {
    return this.review(this.sessions, judge);
  }

  ofUser(userId: string, judge: Judge): Promise<Effect> {
    return this.review(this.sessions.ofUser(userId), judge);
  }

  /**
   * Looks at all sessions. 50,000 take less than 10 ms, so an index of token ids would cost each connection more than
   * it saves.
   */
  ofToken(tokenId: string, judge: Judge): Promise<Effect> {
    const found: Session[] = [];
    this.sessions.forEach((session) => {
      if (session.principal.tokenId === tokenId) found.push(session);
    });
    return this.review(found, judge);
  }

  /** Closes sessions, or changes their rights, before it returns. The promise waits for the consequences. */
  private async review(sessions: Iterable<Session>, judge: Judge): Promise<Effect> {
    let ended = 0;
    const changes: Promise<number>[] = [];
    for (const session of sessions) {
      const principal = judge(session.principal);
      if (principal === undefined) ended += end(session);
      else if (!hasSameRights(principal, session.principal)) changes.push(this.sessions.renew(session, principal));
    }
    const dropped = (await Promise.all(changes)).reduce((sum, count) => sum + count, 0);
    return { ended, changed: changes.length, dropped };
  }
}

function end(session: Session): number {
  if (!session.connection.isServed) return 0;
  session.close('token_revoked');
  return 1;
}
