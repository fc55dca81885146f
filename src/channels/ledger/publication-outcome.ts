import type { Gap } from '../recovery/gap.js';

/** What became of a publication for a session or a user, the happiest first; docs/observability.md explains each, and a test compares. */
export const OUTCOMES = {
  delivered:
    'The operating system took the frame for the client. That is no acknowledgement: whether it crossed the network and was read cannot be known here.',
  recovered:
    'It was in the reply to a later subscribe, and the operating system took that reply for the client. That is no acknowledgement.',
  waiting: 'It waits on the node: in the queue of a slow reader, or behind a recovery that is under way.',
  gap_announced: 'The client was told that it is lost; the operating system took that message for the client.',
  dropped: 'It was dropped on the node; `reason` says why.',
  excluded: 'Its publisher asked that this session, or the one before it, does not get it.',
  not_arrived:
    'The session is subscribed, and its node has not got the publication from the broker. It asks again by itself.',
  unknown: 'The ledgers that were asked do not tell; `reason` says why.',
  before_subscribe:
    'It was published before the session subscribed, and the client did not ask for what it had missed.',
  claimed: 'The client subscribed with a `since` at or behind it: it said that it stood there already.',
  not_subscribed: 'A session was open when it was published, and was not in the channel, or not any more.',
  offline:
    'No session of the user was open when it was published, on any node that answered; of a session: it had closed.',
  never_published: 'Nothing with this seq has been published: the channel stands before it.',
} as const;

export type OutcomeName = keyof typeof OUTCOMES;

export interface PublicationOutcome {
  readonly outcome: OutcomeName;
  /** When it came to that, in milliseconds since 1970. */
  readonly at?: number;
  /** Of `dropped`, `waiting`, `not_subscribed` and `unknown`. */
  readonly reason?: string;
  /** Of `gap_announced`. */
  readonly gap?: Gap;
}

const RANKS: readonly string[] = Object.keys(OUTCOMES);

/** Lower is happier: what reached the client in one way or another counts before what did not, and knowledge before guesses. */
export function rankOf({ outcome }: PublicationOutcome): number {
  return RANKS.indexOf(outcome);
}

/** The happiest; undefined where there is none. Of several alike, the first. */
export function bestOf<T extends PublicationOutcome>(verdicts: readonly T[]): T | undefined {
  return verdicts.reduce<T | undefined>(
    (best, verdict) => (best === undefined || rankOf(verdict) < rankOf(best) ? verdict : best),
    undefined,
  );
}
