import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Session } from './session.js';

/** How long a session outlives its token, so that a client can refresh it late. */
export const EXPIRY_GRACE_MS = 25_000;
const TICK_MS = 1_000;

/** Closes sessions with an expired token with 4401. One timer for all: sessions are grouped by second. */
@Injectable()
export class ExpirySweep implements OnApplicationShutdown {
  private readonly buckets = new Map<number, Set<Session>>();
  /** Runs while a session has a token that expires. */
  private timer: NodeJS.Timeout | undefined;

  onApplicationShutdown(): void {
    this.rest();
  }

  watch(session: Session): void {
    const bucket = bucketOf(session);
    if (bucket === undefined) return;
    const waiting = this.buckets.get(bucket);
    if (waiting) waiting.add(session);
    else this.buckets.set(bucket, new Set([session]));
    this.timer ??= setInterval(() => this.tick(), TICK_MS).unref();
  }

  forget(session: Session): void {
    const bucket = bucketOf(session);
    if (bucket === undefined) return;
    const waiting = this.buckets.get(bucket);
    if (waiting?.delete(session) && waiting.size === 0) this.buckets.delete(bucket);
  }

  private tick(): void {
    this.sweep(Date.now());
    if (this.buckets.size === 0) this.rest();
  }

  private rest(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Closes sessions that are due at `now`, in milliseconds since 1970. */
  sweep(now: number): void {
    for (const [bucket, sessions] of this.buckets) {
      if (bucket * TICK_MS > now) continue;
      this.buckets.delete(bucket);
      for (const session of sessions) session.close('token_expired');
    }
  }
}

function bucketOf({ principal }: Session): number | undefined {
  if (principal.expiresAt === undefined) return undefined;
  return Math.ceil((principal.expiresAt + EXPIRY_GRACE_MS) / TICK_MS);
}
