import { ENVELOPE_VERSION, MAX_ID_LENGTH, MAX_TYPE_LENGTH, type CorrelationId } from '@gatehouse/protocol';
import { GatehouseError } from './gatehouse-error.js';

/** A client's message after decoding, for every codec. */
export interface InboundMessage {
  readonly type: string;
  readonly id: CorrelationId | undefined;
  readonly data: unknown;
  /** W3C traceparent. */
  readonly trace: string | undefined;
  /** How `data` is encrypted; absent means plain. */
  readonly enc: string | undefined;
  /** When the client made the message, in its own words: milliseconds since 1970. */
  readonly ts: number | undefined;
  /** The seal of `data`, once it is decrypted. */
  readonly seal?: Seal;
}

/** Distinguishes one encryption from all others, also of the same data. */
export interface Seal {
  /** When it was made, by the clock of the sender, milliseconds since 1970. */
  readonly at: number;
  readonly signature: string;
}

/** A frame that is not an envelope. Has the request's id if that could be read. */
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
 * Reads a decoded body as an envelope. `event` and `payload` stand for `type` and `data` if those are absent. Null
 * counts as absent, except in `data`.
 *
 * @throws EnvelopeError if the body is not an envelope
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
  // An invalid time counts as none: only handlers with replay protection use it.
  const sentAt = typeof ts === 'number' && Number.isSafeInteger(ts) ? ts : undefined;
  return { type, id, data, trace: trace ?? undefined, enc: enc ?? undefined, ts: sentAt };
}

function isCorrelationId(value: unknown): value is CorrelationId {
  return typeof value === 'string' ? value.length <= MAX_ID_LENGTH : Number.isSafeInteger(value);
}
