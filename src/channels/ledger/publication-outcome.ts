import type { Gap } from '../recovery/gap.js';

/**
 * Outcomes of a publication for a session or a user, best first. docs/observability.md explains each, and a test
 * compares.
 */
export const OUTCOMES = {
  delivered:
    'The operating system accepted the frame for the client. This is not an acknowledgement: the server cannot know whether the client received it.',
  recovered:
    'It was in the reply to a later subscribe, and the operating system accepted that reply for the client. This is not an acknowledgement.',
  waiting: 'It waits on the node, in the queue of a slow reader or behind a recovery in progress.',
  gap_announced: 'The client was told that it is lost, and the operating system accepted that message for the client.',
  dropped: 'It was dropped on the node; `reason` says why.',
  excluded: 'Its publisher excluded this session, or the session before it.',
  not_arrived:
    'The session is subscribed, but its node has not received the publication from the broker. The node asks again by itself.',
  unknown: 'The ledgers that answered do not have it; `reason` says why.',
  before_subscribe:
    'It was published before the session subscribed, and the client did not ask for missed publications.',
  claimed: 'The client subscribed with a `since` at or after it, so the client already had it.',
  not_subscribed: 'A session was open when it was published, but was not subscribed to the channel.',
  offline:
    'No session of the user was open when it was published, on any node that answered. For one session: it had closed.',
  never_published: 'No publication has this seq yet: the channel has not reached it.',
} as const;

export type OutcomeName = keyof typeof OUTCOMES;

export interface PublicationOutcome {
  readonly outcome: OutcomeName;
  /** Time of the outcome, in milliseconds since 1970. */
  readonly at?: number;
  /** For `dropped`, `waiting`, `not_subscribed` and `unknown`. */
  readonly reason?: string;
  /** For `gap_announced`. */
  readonly gap?: Gap;
}

const RANKS: readonly string[] = Object.keys(OUTCOMES);

/** Lower is better: outcomes that reached the client before those that did not, and knowledge before guesses. */
export function rankOf({ outcome }: PublicationOutcome): number {
  return RANKS.indexOf(outcome);
}

/** The best outcome; undefined if there is none. Of equal ones, the first. */
export function bestOf<T extends PublicationOutcome>(verdicts: readonly T[]): T | undefined {
  return verdicts.reduce<T | undefined>(
    (best, verdict) => (best === undefined || rankOf(verdict) < rankOf(best) ? verdict : best),
    undefined,
  );
}
