import { ENVELOPE_VERSION, type ErrorMessage, type OutboundMessage } from '@gatehouse/protocol';

/** A message of the server whose envelope has the right shape. What is in `data` is not checked yet. */
export type Incoming = OutboundMessage & Partial<Pick<ErrorMessage, 'code' | 'message' | 'details' | 'retryAfter'>>;

/** @throws TypeError when the value is no envelope of this version */
export function readIncoming(value: unknown): Incoming {
  if (!isObject(value) || typeof value.type !== 'string') throw new TypeError('not an envelope');
  const { v, id, channel, seq, epoch, ts, code, message, retryAfter, details } = value;
  if ((v ?? ENVELOPE_VERSION) !== ENVELOPE_VERSION) throw new TypeError(`an envelope of version ${String(v)}`);
  check(id, 'string', 'number');
  for (const text of [channel, epoch, code, message]) check(text, 'string');
  for (const number of [seq, ts, retryAfter]) check(number, 'number');
  check(details, 'object');
  return value as unknown as Incoming;
}

function check(value: unknown, ...types: string[]): void {
  if (value != null && !types.includes(typeof value)) throw new TypeError('an envelope with a field of a wrong type');
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
