import type { Publisher } from '@gatehouse/protocol';
import type { Namespace } from '../../config/namespaces.js';
import type { Draft, OutboxMark } from '../cluster/ports/broker.js';
import { sendable } from '../protocol/codecs/sendable.js';
import { FERNET, type PayloadCipher } from '../protocol/encryption/payload-cipher.js';
import { GatehouseError } from '../protocol/gatehouse-error.js';

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
  /** @internal Its place in the outbox of an edge node. */
  readonly mark?: OutboxMark | undefined;
}

/** The publication as the broker gets it, encrypted if its namespace requires that. */
export function draftOf(request: PublishRequest, { encryption }: Namespace, cipher: PayloadCipher | undefined): Draft {
  const { ttlMs, excludeSession } = request;
  const expiresAt = ttlMs === undefined ? undefined : Date.now() + ttlMs;
  const data = sendable(request.data);
  const payload = encryption === 'required' ? { enc: FERNET, data: demandCipher(cipher).seal(data) } : { data };
  return { ...payload, from: publisherOf(request.from), excludeSession, expiresAt };
}

/** The settings make sure that there is a cipher if a namespace needs it. */
export function demandCipher(cipher: PayloadCipher | undefined): PayloadCipher {
  if (cipher === undefined) throw new GatehouseError('DECRYPTION_FAILED');
  return cipher;
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
