import type { Draft } from './broker.js';
import { escaped, pack, packIfFaithful, unescaped, unpack } from './faithful-pack.js';

type Fields = [
  data: unknown,
  userId: string | undefined,
  sessionId: string | undefined,
  excludeSession: string | undefined,
  expiresAt: number | undefined,
  /**
   * With a trace, this field holds the trace, and texts are escaped too: older releases know only that the field is not
   * false.
   */
  isEscaped: boolean | string,
  /** Written only if set, so that nodes of an older release can read unencrypted publications. */
  enc?: string,
];

/**
 * Encodes as MessagePack. If msgpackr would change or refuse a value, or if there is a trace, every text is escaped.
 */
export function encodeDraft({ data, from, excludeSession, expiresAt, enc, trace }: Draft): Buffer {
  const rest = [from?.userId, from?.sessionId, excludeSession, expiresAt] as const;
  const more: [string?] = enc === undefined ? [] : [enc];
  const packed = trace === undefined ? packIfFaithful([data, ...rest, false, ...more]) : undefined;
  return packed ?? pack([escaped(data), ...rest, trace ?? true, ...more]);
}

/** @throws Error if the bytes were not written by `encodeDraft` */
export function decodeDraft(bytes: Uint8Array): Draft {
  const fields = unpack(bytes);
  if (!isFields(fields)) throw new Error('Malformed publication in Redis');
  const [data, userId, sessionId, excludeSession, expiresAt, isEscaped, enc] = fields;
  const from = typeof userId === 'string' && typeof sessionId === 'string' ? { userId, sessionId } : undefined;
  const draft = { data: isEscaped ? unescaped(data) : data, from, excludeSession, expiresAt };
  const sealed = enc === undefined ? draft : { ...draft, enc };
  return typeof isEscaped === 'string' ? { ...sealed, trace: isEscaped } : sealed;
}

function isFields(fields: unknown): fields is Fields {
  if (!Array.isArray(fields)) return false;
  return fields.length === 6 || (fields.length === 7 && typeof fields[6] === 'string');
}
