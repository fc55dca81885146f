import { isRetryable } from '@gatehouse/protocol';
import type { ChannelName, Position, Publication } from '../../cluster/ports/broker.js';
import type { HistoryLimits } from '../../../config/namespaces.js';
import { isOfTheLink, type UpstreamError, type UpstreamPush } from '../link/client-library.js';
import type { MirrorOutcome } from '../edge-events.js';
import { MirrorLog } from './mirror-log.js';
import { answerIn, expired, gapIn, publicationIn, type SubscribeAnswer } from './subscribe-answer.js';

/** What a mirrored channel needs of the mirror. */
export interface MirrorHost {
  readonly isUp: boolean;
  /** Sends a subscribe, a few at one time. @throws UpstreamError */
  ask(channel: ChannelName, since: Position): Promise<unknown>;
  /** The next publication is in the log. */
  arrived(channel: MirroredChannel, publication: Publication): void;
  /** The log has changed in another way: those who follow it read it. */
  jumped(channel: MirroredChannel): void;
  told(outcome: MirrorOutcome, publications: number): void;
  /** The centre does not let this node read it. */
  refused(reason: string): void;
}

interface MirroredChannelOptions {
  readonly name: ChannelName;
  readonly limits: HistoryLimits;
  readonly host: MirrorHost;
  /** What an earlier run has left. */
  readonly log?: MirrorLog | undefined;
}

/**
 * - `away`: nobody here wants it
 * - `waiting`: for the link, or to ask again
 * - `asking`: the centre was asked, and what arrives waits
 * - `following`: what arrives follows the log
 */
type State = 'away' | 'waiting' | 'asking' | 'following';

/** Comes before every history: the centre sends what it has. */
const START: Position = { epoch: 'none', seq: 0 };
/** Messages that may wait for an answer. Beyond it, the centre is asked once more. */
const MAX_BUFFERED = 1_000;
const MIN_PAUSE_MS = 200;
const MAX_PAUSE_MS = 10_000;
/** After the centre has refused the channel. */
const REFUSED_PAUSE_MS = 30_000;

/**
 * A channel of the centre. Live messages are taken only in order, within one epoch; whatever else comes makes this node
 * ask the centre to go on from the position here. So the answer to a subscribe alone says what is lost.
 */
export class MirroredChannel {
  log: MirrorLog | undefined;
  /** Bytes of the log as the mirror has counted them. */
  countedBytes = 0;
  private state: State = 'away';
  /** Answers to older questions count no more. */
  private round = 0;
  private buffer: UpstreamPush[] = [];
  private hasOverflowed = false;
  private failures = 0;
  private timer: NodeJS.Timeout | undefined;
  private waiting: (() => void)[] = [];

  readonly name: ChannelName;
  readonly limits: HistoryLimits;
  private readonly host: MirrorHost;

  constructor({ name, limits, host, log }: MirroredChannelOptions) {
    this.name = name;
    this.limits = limits;
    this.host = host;
    this.log = log;
  }

  get isFollowed(): boolean {
    return this.state !== 'away';
  }

  /** Whether it will soon be known what the centre has. */
  get isAsking(): boolean {
    return this.state === 'asking';
  }

  follow(): void {
    if (this.state !== 'away') return;
    if (this.host.isUp) this.ask();
    else this.state = 'waiting';
  }

  leave(): void {
    this.turn('away');
  }

  /** The link is up, with a new session. */
  greeted(): void {
    if (this.isFollowed) this.ask();
  }

  linkLost(): void {
    if (this.isFollowed) this.turn('waiting');
  }

  /** Something may have come that could not be read. */
  distrust(): void {
    if (this.state === 'following') this.ask();
    else this.hasOverflowed = true;
  }

  /** Resolves when the centre has answered, or the link is lost. */
  answered(): Promise<void> {
    if (!this.isAsking) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  receive(push: UpstreamPush): void {
    if (this.state === 'asking') this.hold(push);
    else if (this.state === 'following') this.read(push);
  }

  private ask(): void {
    this.turn('asking');
    const { round } = this;
    const since = this.log?.position ?? START;
    this.host.ask(this.name, since).then(
      (reply) => round === this.round && this.answer(answerIn(reply)),
      (error: UpstreamError) => round === this.round && this.failed(error),
    );
  }

  private answer(answer: SubscribeAnswer | undefined): void {
    if (answer === undefined) return this.refused('NO_HISTORY');
    this.take(answer);
    this.failures = 0;
    const { buffer, hasOverflowed } = this;
    this.turn('following');
    for (const push of buffer) this.receive(push);
    if (hasOverflowed && this.state === 'following') this.ask();
  }

  private failed(error: UpstreamError): void {
    const { code, retryAfter = 0 } = error;
    if (!isOfTheLink(code) && !isRetryable(code)) return this.refused(code);
    const mostMs = Math.min(MAX_PAUSE_MS, MIN_PAUSE_MS * 2 ** this.failures);
    this.failures += 1;
    this.askLater(Math.max(retryAfter, mostMs * (0.5 + Math.random() / 2)));
  }

  private refused(reason: string): void {
    this.host.refused(reason);
    this.askLater(REFUSED_PAUSE_MS);
  }

  /** If the link is down, its return comes first. */
  private askLater(ms: number): void {
    this.turn('waiting');
    this.timer = setTimeout(() => this.host.isUp && this.ask(), ms).unref();
  }

  private turn(state: State): void {
    this.round += 1;
    clearTimeout(this.timer);
    this.state = state;
    this.buffer = [];
    this.hasOverflowed = false;
    const { waiting } = this;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }

  private hold(push: UpstreamPush): void {
    if (this.buffer.length < MAX_BUFFERED) this.buffer.push(push);
    else this.hasOverflowed = true;
  }

  private read(push: UpstreamPush): void {
    const { log, host } = this;
    if (push.type === 'unsubscribed') return this.unsubscribed(push.data);
    if (log === undefined) return this.ask();
    const seq = push.type === 'gap' ? gapIn(push.data)?.to : push.seq;
    const isSameEpoch = push.epoch === log.epoch;
    if (isSameEpoch && seq !== undefined && seq <= log.seq) return host.told('repeated', 1);
    const publication = push.type === 'message' ? publicationIn(push) : undefined;
    if (!isSameEpoch || publication?.seq !== log.seq + 1) return this.ask();
    log.append(publication);
    const { size } = this.limits;
    // In steps: removing one from the front each time would move the whole array each time.
    if (log.publications.length >= size * 2) log.drop(log.publications.length - size);
    host.told('received', 1);
    host.arrived(this, publication);
  }

  private unsubscribed(data: unknown): void {
    const { lost, code = 'FORBIDDEN' } = (data ?? {}) as { lost?: string; code?: string };
    if (lost !== 'presence') this.failed(Object.assign(new Error(code), { code }));
  }

  private take(answer: SubscribeAnswer): void {
    const { host, log: before } = this;
    const { top, publications, gap } = answer;
    if (gap !== undefined && before !== undefined) host.told('gap', 1);
    if (before?.epoch === top.epoch && before.seq === top.seq && gap === undefined) return;
    const isContinued = before !== undefined && gap?.from !== null;
    const log = isContinued ? before : newLog(answer, before);
    const from = log.seq;
    for (const publication of withExpired(answer, from, this.limits.size)) log.append(publication);
    log.moveTo(top, from);
    this.log = log;
    host.told('received', publications.length);
    host.jumped(this);
  }
}

/** The centre does not lead there from the position here. */
function newLog({ top }: SubscribeAnswer, before: MirrorLog | undefined): MirrorLog {
  return new MirrorLog(top.epoch, 0, [], before?.epoch === top.epoch);
}

/** Everything after a seq. What is missing outside the gap has expired at the centre. */
function* withExpired({ top, publications, gap }: SubscribeAnswer, from: number, most: number): Iterable<Publication> {
  let next = from + 1;
  const end = { seq: top.seq + 1, ts: Date.now() };
  for (const found of [...publications, end]) {
    const lostTo = gap?.to ?? 0;
    // Not more than a history has room for.
    const start = Math.max(next, lostTo + 1, end.seq - most);
    for (let seq = start; seq < found.seq; seq += 1) yield expired(seq, found.ts);
    if ('bytes' in found && found.seq >= next) yield found;
    next = found.seq + 1;
  }
}
