import type { Publisher } from '@gatehouse/protocol';

/** A publisher: a session, or the `publisher` of one. */
export type Origin = Publisher | { readonly publisher: Publisher };

/** Options of a publish. */
export interface PublishOptions {
  /** The `from` that subscribers see. Absent: the application itself. */
  readonly from?: Origin | undefined;
  /**
   * Of the same publisher and channel, only the first publish with a key is carried out. All publishes without `from`
   * share one publisher.
   */
  readonly idempotencyKey?: string | undefined;
  /** Milliseconds after which it must not be delivered. */
  readonly ttlMs?: number | undefined;
  /** A session that must not get it. */
  readonly excludeSession?: string | undefined;
}

/** The data, and how it is published. */
export interface PublishRequest extends PublishOptions {
  readonly data: unknown;
}

/** Scoped to one user, so that keys of others cannot suppress its messages. The length separates the two parts. */
export function idempotencyKeyOf({ from: origin, idempotencyKey }: PublishRequest): string | undefined {
  if (idempotencyKey === undefined) return undefined;
  const from = publisherOf(origin);
  return from === undefined ? `:${idempotencyKey}` : `${from.userId.length}:${from.userId}${idempotencyKey}`;
}

/** A session has more fields than subscribers may see. */
export function publisherOf(origin: Origin | undefined): Publisher | undefined {
  return origin !== undefined && 'publisher' in origin ? origin.publisher : origin;
}
