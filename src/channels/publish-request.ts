import type { Publisher } from '../protocol/envelope.js';

export interface PublishRequest {
  readonly data: unknown;
  readonly from?: Publisher | undefined;
  /** Of the same publisher and channel, only the first publish with a key is made. Who has no `from` is one publisher. */
  readonly idempotencyKey?: string | undefined;
  /** Milliseconds after which it must not be delivered any more. */
  readonly ttlMs?: number | undefined;
  /** A session that is not to get it. */
  readonly excludeSession?: string | undefined;
}

/** Of one user: what others choose as theirs must not swallow its messages. The length tells the two parts apart. */
export function idempotencyKeyOf({ from, idempotencyKey }: PublishRequest): string | undefined {
  if (idempotencyKey === undefined) return undefined;
  return from === undefined ? `:${idempotencyKey}` : `${from.userId.length}:${from.userId}${idempotencyKey}`;
}
