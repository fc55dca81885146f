import type { Publication } from '../cluster/broker.js';
import type { Session } from '../sessions/session.js';

/** Publications that may wait behind one client's recovery; beyond it the client is cut off and recovers anew. */
const MAX_BEHIND_RECOVERY = 10_000;

/** One session in one channel. While it recovers, live publications wait behind what it missed. */
export class Subscription {
  private behind: Publication[] | undefined = [];

  constructor(readonly session: Session) {}

  /** Whether live publications go straight to the session. */
  get isLive(): boolean {
    return this.behind === undefined;
  }

  /** Begins anew: a client that asks again for a channel it has. */
  recover(): void {
    this.behind ??= [];
  }

  /** Puts a live publication behind the recovery. */
  holdBack(publication: Publication): void {
    if (this.behind === undefined) return;
    if (this.behind.push(publication) > MAX_BEHIND_RECOVERY) this.session.close('slow_consumer');
  }

  /** The recovery is done up to `seq`. Returns what came meanwhile and is not in it. */
  goLive(seq: number): readonly Publication[] {
    const behind = this.behind ?? [];
    this.behind = undefined;
    return behind.filter((publication) => publication.seq === 0 || publication.seq > seq);
  }
}
