import type { MsgHdrs } from '@nats-io/transport-node';
import type { NatsPackages } from './nats-client.js';

/** A line break would end the header, its client cuts off white space at the ends, and % would be ambiguous. */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const UNSAFE = /[\u0000-\u001f\u007f%]|^\s+|\s+$/gu;

/** Returns headers whose values are any text: what NATS cannot carry is percent-encoded. */
export function natsHeaders({ nats }: NatsPackages, fields: Readonly<Record<string, string>>): MsgHdrs {
  const headers = nats.headers();
  for (const [name, value] of Object.entries(fields)) headers.set(name, encodedHeader(value));
  return headers;
}

export function encodedHeader(value: string): string {
  // A lone half of a pair has no encoding.
  return value.toWellFormed().replaceAll(UNSAFE, (found) => encodeURIComponent(found));
}
