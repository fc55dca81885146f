import { ENVELOPE_VERSION, MAX_ID_LENGTH, MAX_TYPE_LENGTH, type CorrelationId } from '@gatehouse/protocol';
import { GatehouseError } from './gatehouse-error.js';

/** A client's message after decoding, whatever its codec. */
export interface InboundMessage {
  readonly type: string;
  readonly id: CorrelationId | undefined;
  readonly data: unknown;
  /** W3C traceparent. */
  readonly trace: string | undefined;
  /** How `data` is encrypted; absent means plain. */
  readonly enc: string | undefined;
  /** When the client says it made the message, milliseconds since 1970. */
  readonly ts: number | undefined;
  /** What `data` was encrypted in, once it is decrypted. */
  readonly seal?: Seal;
}

/** What tells one encryption from all others, also of the same data. */
export interface Seal {
  /** When it was made, by the clock of whoever made it, milliseconds since 1970. */
  readonly at: number;
  readonly signature: string;
}

/** A frame that is no envelope. Bears the request's id where that much could be read. */
export class EnvelopeError extends GatehouseError {
  constructor(
    code: 'INVALID_MESSAGE_FORMAT' | 'UNSUPPORTED_VERSION',
    readonly id?: CorrelationId,
  ) {
    super(code);
    this.name = 'EnvelopeError';
  }
}

/**
 * Reads a decoded body as an envelope. `event` and `payload` are read as `type` and `data`
 * where those are absent; null counts as absent, except in `data`.
 *
 * @throws EnvelopeError when the body is no envelope
 */
export function readEnvelope(body: unknown): InboundMessage {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new EnvelopeError('INVALID_MESSAGE_FORMAT');
  const fields = body as Record<string, unknown>;

  const id = fields.id ?? undefined;
  if (id !== undefined && !isCorrelationId(id)) throw new EnvelopeError('INVALID_MESSAGE_FORMAT');

  const type = fields.type ?? fields.event;
  if (typeof type !== 'string' || type.length === 0 || type.length > MAX_TYPE_LENGTH) {
    throw new EnvelopeError('INVALID_MESSAGE_FORMAT', id);
  }

  const version = fields.v ?? ENVELOPE_VERSION;
  if (version !== ENVELOPE_VERSION) {
    throw new EnvelopeError(Number.isSafeInteger(version) ? 'UNSUPPORTED_VERSION' : 'INVALID_MESSAGE_FORMAT', id);
  }

  const { trace, enc, ts } = fields;
  if ((trace != null && typeof trace !== 'string') || (enc != null && typeof enc !== 'string')) {
    throw new EnvelopeError('INVALID_MESSAGE_FORMAT', id);
  }

  const data = fields.data === undefined ? fields.payload : fields.data;
  // What is no time counts as none: only handlers that are protected against replay look at it.
  const sentAt = typeof ts === 'number' && Number.isSafeInteger(ts) ? ts : undefined;
  return { type, id, data, trace: trace ?? undefined, enc: enc ?? undefined, ts: sentAt };
}

function isCorrelationId(value: unknown): value is CorrelationId {
  return typeof value === 'string' ? value.length <= MAX_ID_LENGTH : Number.isSafeInteger(value);
}
