import { ENVELOPE_VERSION, type ErrorMessage, type OutboundMessage } from '@gatehouse/protocol';

/** A message of the server whose envelope has the right shape. What is in `data` is not checked yet. */
export type Incoming = OutboundMessage & Partial<Pick<ErrorMessage, 'code' | 'message' | 'details' | 'retryAfter'>>;

const KINDS: Readonly<Record<string, string>> = {
  id: 'string number',
  channel: 'string',
  epoch: 'string',
  code: 'string',
  message: 'string',
  seq: 'number',
  ts: 'number',
  retryAfter: 'number',
  details: 'object',
};

/** @throws TypeError when the value is no envelope of this version */
export function readIncoming(value: unknown): Incoming {
  if (!isObject(value) || typeof value.type !== 'string') throw new TypeError('type');
  if ((value.v ?? ENVELOPE_VERSION) !== ENVELOPE_VERSION) throw new TypeError('v');
  for (const [name, kinds] of Object.entries(KINDS)) {
    const field = value[name];
    if (field != null && !kinds.includes(typeof field)) throw new TypeError(name);
  }
  return value as unknown as Incoming;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
