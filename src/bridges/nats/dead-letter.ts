import { PAYLOAD_BYTES_HEADER, REASON_HEADER, SUBJECT_HEADER } from '../dead-letter-headers.js';
import { natsHeaders } from './nats-headers.js';
import type { NatsPackages } from './nats-client.js';
import { isTooLarge } from './nats-refusal.js';
import type { MsgHdrs } from '@nats-io/transport-node';

interface DeadLetter {
  readonly payload: Uint8Array;
  readonly reason: string;
  readonly subject: string;
}

const NOTHING = new Uint8Array();

/**
 * Puts a message that can never be published aside. With its reason it may be larger than the server takes: then it goes
 * without its payload.
 *
 * @throws Error if it could not be sent
 */
export async function bury(
  { payload, reason, subject }: DeadLetter,
  packages: NatsPackages,
  send: (payload: Uint8Array, headers: MsgHdrs) => Promise<unknown> | void,
): Promise<'dead_lettered' | 'emptied' | 'skipped'> {
  const fields = { [REASON_HEADER]: reason, [SUBJECT_HEADER]: subject };
  try {
    await send(payload, natsHeaders(packages, fields));
    return 'dead_lettered';
  } catch (error) {
    if (!isTooLarge(error)) throw error;
  }
  try {
    const bytes = String(payload.byteLength);
    await send(NOTHING, natsHeaders(packages, { ...fields, [PAYLOAD_BYTES_HEADER]: bytes }));
    return 'emptied';
  } catch (error) {
    if (!isTooLarge(error)) throw error;
    return 'skipped';
  }
}
