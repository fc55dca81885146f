import type { Position } from '../../cluster/broker.js';
import type { Session } from '../../sessions/session.js';
import type { Gap } from '../gap.js';
import type { Recovery } from '../recovery-reply.js';
import { Fate } from './fate.js';
import type { Reach } from './line.js';

/** Subscribes of one subscription that are remembered: a client that recovers more often than that is told `unknown` of the first. */
export const MAX_EPISODES = 16;
/** Runs of publications that are remembered of one recovery; between them lies what was not for the client, or had expired. */
const MAX_RUNS = 64;

/** From the first to the last seq, both included. */
type Run = [first: number, last: number];

/** One subscribe, and what became of its reply. */
export class Episode extends Fate {
  /** Milliseconds since 1970. */
  readonly begunAt = Date.now();
  since: Position | undefined;
  /** Where the reply has brought the client; undefined before it is known. */
  top: Position | undefined;
  gap: Gap | undefined;
  /** Whether the reply is on its way, and live publications follow it. */
  isLive = false;
  private runs: readonly Run[] = [];
  /** Whether there were too many to remember. */
  isBlurred = false;

  /** @param formerSession what that one excluded itself from is not for this one either */
  constructor(readonly formerSession: string | undefined) {
    super();
  }

  answered(since: Position | undefined, { epoch, seq, gap, publications }: Recovery): void {
    if (epoch === undefined || seq === undefined) return;
    this.since = since;
    this.top = { epoch, seq };
    this.gap = gap;
    const runs = runsOf(publications.map((publication) => publication.seq));
    this.isBlurred = runs.length > MAX_RUNS;
    this.runs = runs.slice(0, MAX_RUNS);
  }

  brought(seq: number): boolean {
    return this.runs.some(([first, last]) => seq >= first && seq <= last);
  }
}

/** When and how a session left a channel, and how far it had been told by then. */
export interface Departure {
  readonly at: number;
  readonly position: Position | undefined;
  why: 'unsubscribed' | 'closed' | 'rights';
}

/** What happened to one session in one channel, from its first subscribe until it left. */
export class SubscriptionRecord {
  readonly sessionId: string;
  readonly userId: string;
  /** Of the session. */
  readonly openedAt: number;
  readonly episodes: Episode[] = [];
  /** Whether the first subscribes are forgotten. */
  isCut = false;
  departure: Departure | undefined;

  constructor(
    readonly channel: string,
    { id, userId, openedAt }: Session,
    private readonly reach: Reach,
  ) {
    this.sessionId = id;
    this.userId = userId;
    this.openedAt = openedAt;
  }

  begin(formerSession: string | undefined): void {
    if (this.episodes.push(new Episode(formerSession)) <= MAX_EPISODES) return;
    this.episodes.shift();
    this.isCut = true;
  }

  get latest(): Episode | undefined {
    return this.episodes.at(-1);
  }

  /** How far the session has been told, in replies and since then. */
  get position(): Position | undefined {
    const { top } = this.episodes.findLast((episode) => episode.top !== undefined) ?? {};
    const { position } = this.reach;
    if (top === undefined || position === undefined) return top ?? position;
    // The channel may still be on its way to where the reply has brought the client.
    return top.epoch === position.epoch && top.seq > position.seq ? top : position;
  }

  leave(why: Departure['why']): void {
    this.departure = { at: Date.now(), position: this.position, why };
  }

  /** Whether it is the session's own doing that it is not sent something. */
  isExcludedBy(excluded: string | undefined): boolean {
    if (excluded === undefined) return false;
    return excluded === this.sessionId || this.episodes.some(({ formerSession }) => formerSession === excluded);
  }
}

function runsOf(seqs: readonly number[]): readonly Run[] {
  const runs: Run[] = [];
  for (const seq of seqs) {
    const run = runs.at(-1);
    if (run !== undefined && run[1] + 1 === seq) run[1] = seq;
    else runs.push([seq, seq]);
  }
  return runs;
}
