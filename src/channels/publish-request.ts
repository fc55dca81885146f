import type { Publisher } from '@gatehouse/protocol';

/** Who publishes: a session, or what `session.publisher` says of one. */
export type Origin = Publisher | { readonly publisher: Publisher };

/** How something is published. */
export interface PublishOptions {
  /** What subscribers read as `from`. Absent: the application itself. */
  readonly from?: Origin | undefined;
  /** Of the same publisher and channel, only the first publish with a key is made. Who has no `from` is one publisher. */
  readonly idempotencyKey?: string | undefined;
  /** Milliseconds after which it must not be delivered any more. */
  readonly ttlMs?: number | undefined;
  /** A session that is not to get it. */
  readonly excludeSession?: string | undefined;
}

/** What is published, and how. */
export interface PublishRequest extends PublishOptions {
  readonly data: unknown;
}

/** Of one user: what others choose as theirs must not swallow its messages. The length tells the two parts apart. */
export function idempotencyKeyOf({ from: origin, idempotencyKey }: PublishRequest): string | undefined {
  if (idempotencyKey === undefined) return undefined;
  const from = publisherOf(origin);
  return from === undefined ? `:${idempotencyKey}` : `${from.userId.length}:${from.userId}${idempotencyKey}`;
}

/** A session has more fields than subscribers may read. */
export function publisherOf(origin: Origin | undefined): Publisher | undefined {
  return origin !== undefined && 'publisher' in origin ? origin.publisher : origin;
}
