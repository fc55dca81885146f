import { Injectable } from '@nestjs/common';
import { TokenBucket } from '../access/limits/token-bucket.js';
import type { Channel } from './channel.js';
import { GatehouseError } from '../protocol/gatehouse-error.js';
import type { Session } from '../sessions/session.js';

/** The rate and size limits of a session's publications in a namespace. */
@Injectable()
export class PublishLimits {
  private readonly buckets = new WeakMap<Session, Map<string, TokenBucket>>();

  /** @throws GatehouseError MESSAGE_TOO_LARGE or RATE_LIMIT_EXCEEDED */
  demand(session: Session, { namespace }: Channel, messageBytes: number): void {
    if (namespace.maxMessageBytes > 0 && messageBytes > namespace.maxMessageBytes) {
      throw new GatehouseError('MESSAGE_TOO_LARGE');
    }
    if (namespace.publishRate === 0) return;
    const retryAfter = this.bucketOf(session, namespace.name, namespace.publishRate).take(performance.now());
    if (retryAfter > 0) throw new GatehouseError('RATE_LIMIT_EXCEEDED', { retryAfter });
  }

  private bucketOf(session: Session, namespace: string, rate: number): TokenBucket {
    const ofSession = this.buckets.get(session) ?? new Map<string, TokenBucket>();
    this.buckets.set(session, ofSession);
    const bucket = ofSession.get(namespace) ?? new TokenBucket({ rate, burst: rate });
    ofSession.set(namespace, bucket);
    return bucket;
  }
}
