import type { Position } from '../../cluster/ports/broker.js';
import type { Session } from '../../sessions/session.js';
import type { Gap } from '../recovery/gap.js';
import type { Recovery } from '../recovery/recovery-reply.js';
import { DeliveryStatus } from './delivery-status.js';
import type { Reach } from './publication-record.js';

/**
 * Subscribes of one subscription that are remembered. If a client recovers more often, the outcome of the first ones is
 * `unknown`.
 */
export const MAX_EPISODES = 4;
/**
 * Runs of publications that are remembered for all recoveries of one subscription. Between runs are publications that
 * were not for the client, or had expired. A client can cause any number of runs, so few are kept.
 */
export const MAX_RUNS = 16;
/** The room that each takes, in entries of the ledger. Measured. */
const WEIGHTS = { record: 3, episode: 4, runs: 1 / 4 } as const;
/** The largest weight of one subscription. */
export const MAX_WEIGHT = WEIGHTS.record + MAX_EPISODES * WEIGHTS.episode + MAX_RUNS * WEIGHTS.runs;

/** One subscribe, and what became of its reply. */
export class Episode extends DeliveryStatus {
  /** Milliseconds since 1970. */
  readonly begunAt = Date.now();
  since: Position | undefined;
  /** The position of the client after the reply; undefined until it is known. */
  top: Position | undefined;
  gap: Gap | undefined;
  /** Whether the reply is on its way and live publications follow it. */
  isLive = false;
  /** First and last seq of each run, alternating, in one array. */
  private runs: readonly number[] = [];
  /** Whether there were too many runs to remember. */
  isBlurred = false;

  /** @param formerSession publications that excluded this session are not for the new one either */
  constructor(readonly formerSession: string | undefined) {
    super();
  }

  answered(since: Position | undefined, { epoch, seq, gap, publications }: Recovery): void {
    if (epoch === undefined || seq === undefined) return;
    // Shares one string for equal epochs; the client's own string would be kept as well.
    this.since = since && { epoch: since.epoch === epoch ? epoch : since.epoch, seq: since.seq };
    this.top = { epoch, seq };
    this.gap = gap;
    const runs = runsOf(publications);
    this.runs = runs.slice(0, 2 * MAX_RUNS);
    this.isBlurred = this.runs.length < runs.length;
  }

  get runCount(): number {
    return this.runs.length / 2;
  }

  /** Forgets what the subscribe delivered, but not that it happened. */
  blur(): void {
    if (this.runs.length === 0) return;
    this.runs = [];
    this.isBlurred = true;
  }

  brought(seq: number): boolean {
    return this.runs.some((first, index) => index % 2 === 0 && seq >= first && seq <= (this.runs[index + 1] ?? first));
  }
}

/** When and how a session left a channel, and how far it had been served. */
export interface Departure {
  readonly at: number;
  readonly position: Position | undefined;
  why: 'unsubscribed' | 'closed' | 'rights';
}

/** What happened to one session in one channel, from its first subscribe until it left. */
export class SubscriptionRecord {
  readonly sessionId: string;
  readonly userId: string;
  /** The id of the session. */
  readonly openedAt: number;
  episodes: readonly Episode[] = [];
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

  /** Its size in entries of the ledger. Constant after the departure. */
  get weight(): number {
    const runs = this.episodes.reduce((sum, { runCount }) => sum + runCount, 0);
    return WEIGHTS.record + this.episodes.length * WEIGHTS.episode + Math.ceil(runs * WEIGHTS.runs);
  }

  begin(formerSession: string | undefined): void {
    this.isCut ||= this.episodes.length >= MAX_EPISODES;
    // A new array each time, because an array that grows reserves room for sixteen items.
    this.episodes = [...this.episodes.slice(1 - MAX_EPISODES), new Episode(formerSession)];
  }

  /** The newest recoveries are remembered in detail. */
  answered(since: Position | undefined, recovery: Recovery): void {
    this.latest?.answered(since, recovery);
    let runs = 0;
    for (const episode of this.episodes.toReversed()) {
      runs += episode.runCount;
      if (runs > MAX_RUNS) episode.blur();
    }
  }

  get latest(): Episode | undefined {
    return this.episodes.at(-1);
  }

  /** How far the session has been served, in replies and since then. */
  get position(): Position | undefined {
    const { top } = this.episodes.findLast((episode) => episode.top !== undefined) ?? {};
    const { position } = this.reach;
    if (top === undefined || position === undefined) return top ?? position;
    // The channel may still be before the position that the reply has brought the client to.
    return top.epoch === position.epoch && top.seq > position.seq ? top : position;
  }

  leave(why: Departure['why']): void {
    this.departure = { at: Date.now(), position: this.position, why };
  }

  /** Whether the session itself is the reason that it does not get it. */
  isExcludedBy(excluded: string | undefined): boolean {
    if (excluded === undefined) return false;
    return excluded === this.sessionId || this.episodes.some(({ formerSession }) => formerSession === excluded);
  }
}

function runsOf(publications: Recovery['publications']): readonly number[] {
  const runs: number[] = [];
  for (const { seq } of publications) {
    if (runs.at(-1) === seq - 1) runs[runs.length - 1] = seq;
    else runs.push(seq, seq);
  }
  return runs;
}
