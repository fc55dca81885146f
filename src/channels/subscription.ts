import type { Position } from '../cluster/ports/broker.js';
import { knownSeq } from '../cluster/ports/continuity.js';
import type { Session } from '../sessions/session.js';
import type { Gap } from './recovery/gap.js';
import { gapMessage, type ChannelPush } from './channel-push.js';
import type { Recovery } from './recovery/recovery-reply.js';

/** Pushes that may wait behind one client's recovery. Beyond it the client is disconnected, and recovers again. */
export const MAX_BEHIND_RECOVERY = 10_000;

/** One session in one channel. While it recovers, pushes wait behind the missed publications. */
export class Subscription {
  /** Pushes that wait behind the recovery. Undefined: the subscription is live. */
  private behind: ChannelPush[] | undefined = [];
  /** The position after the recovery. Undefined once the channel itself has reached it. */
  private served: Position | undefined;
  /** The previous session of the client. Publications that excluded that session stay excluded. */
  private formerSession: string | undefined;
  /** Whether it depends on the session's own rights and ends with them. False: application code has decided. */
  isByRight = true;
  /** Whether the session has left the channel. Nothing reaches it then. */
  hasEnded = false;

  constructor(
    readonly session: Session,
    private readonly channel: string,
  ) {}

  /** Holds pushes back from now on: the client recovers, perhaps again. */
  recover(formerSession: string | undefined): void {
    this.behind ??= [];
    this.formerSession = formerSession;
  }

  /** The content of the reply. Ledgers override it. */
  answered(_since: Position | undefined, _recovery: Recovery): void {}

  /** The recovery covers everything up to a position of the current epoch. Pushes that wait are older, or after it. */
  recoveredTo(position: Position): void {
    this.served = position;
    this.behind = this.behind?.filter(({ epoch, seq }) => epoch === position.epoch && seq > position.seq);
  }

  /** Whether the next push of the channel is the next thing that the client gets. */
  protected get isFollowing(): boolean {
    return this.behind === undefined && this.served === undefined && !this.hasEnded;
  }

  /** Opens the subscription. Returns the pushes that waited, to be offered again. */
  goLive(): readonly ChannelPush[] {
    const { behind = [] } = this;
    this.behind = undefined;
    return behind;
  }

  end(): void {
    this.hasEnded = true;
    this.behind = undefined;
  }

  /** The next push of the channel. */
  offer(push: ChannelPush): void {
    if (this.hasEnded) return;
    if (push.excluded !== undefined && this.isOneself(push.excluded)) return;
    if (push.subject !== undefined && push.subject === this.session.userId) return;
    if (this.behind !== undefined) return this.holdBack(this.behind, push);
    if (push.isSnapshot) this.served = undefined;
    if (this.served === undefined) push.deliverTo(this.session);
    else this.offerNews(push, this.served);
  }

  isOneself(sessionId: string): boolean {
    return sessionId === this.session.id || sessionId === this.formerSession;
  }

  private holdBack(behind: ChannelPush[], push: ChannelPush): void {
    if (behind.push(push) < MAX_BEHIND_RECOVERY) return;
    this.end();
    this.session.close('slow_consumer');
  }

  /** The channel may still be before the position of the recovery. Only pushes after that position are new. */
  private offerNews(push: ChannelPush, served: Position): void {
    const { epoch, seq, gap, continues } = push;
    const known = knownSeq(served, { top: { epoch, seq: Infinity }, continues });
    if (known !== undefined && known < served.seq) {
      // The channel continues from before the client's position: some of what the client has seen is lost.
      this.tellGap(epoch, { from: null, to: known });
      this.served = { epoch, seq: known };
      return this.offerNews(push, this.served);
    }
    const isSameLine = known !== undefined;
    if (isSameLine && seq <= served.seq) return;
    this.served = undefined;
    const isPartlyKnown = isSameLine && gap !== undefined && (gap.from ?? Infinity) <= served.seq;
    if (isPartlyKnown) return this.tellGap(epoch, { ...gap, from: served.seq + 1 });
    if (!isSameLine && continues?.length && gap === undefined) this.tellGap(epoch, { from: null, to: seq - 1 });
    push.deliverTo(this.session);
  }

  protected tellGap(epoch: string, gap: Gap): void {
    this.session.send(gapMessage(this.channel, epoch, gap));
  }
}
