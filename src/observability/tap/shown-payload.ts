import { jsonText } from '../../protocol/codecs/json-codec.js';
import { clientText } from '../client-text.js';

const MAX_LENGTH = 4_096;
/** A longer message is not written as text at all, because that would hold up the event loop. */
const MAX_BYTES = 262_144;
/** Their payload is a token. */
const SECRET_TYPES: ReadonlySet<string> = new Set(['auth_refresh']);
/** Fields whose values are not shown, whatever they are. */
const SECRET_FIELD = /token|password|secret|authorization|api_?key/i;

interface Shown {
  readonly type: string;
  readonly bytes: number;
  readonly enc?: string | undefined;
  readonly data?: unknown;
}

/** The payload of a message for an operator: cut, without anything that is or looks like a token, and never decrypted. */
export function shownPayload({ type, bytes, enc, data }: Shown): string | undefined {
  if (data === undefined) return undefined;
  if (enc !== undefined) return '(encrypted)';
  if (SECRET_TYPES.has(type)) return '(secret)';
  if (bytes > MAX_BYTES) return '(too large)';
  return clientText(textOf(data), MAX_LENGTH);
}

function textOf(data: unknown): string {
  try {
    // Field by field, because a regular expression over the text takes the time of its square.
    return JSON.stringify(JSON.parse(jsonText(data)), withoutSecrets);
  } catch {
    return '(cannot be written as JSON)';
  }
}

function withoutSecrets(field: string, value: unknown): unknown {
  return SECRET_FIELD.test(field) ? '(secret)' : value;
}
