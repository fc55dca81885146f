import type { Writable } from 'node:stream';
import type { WebSocket } from 'ws';
import type { CloseName } from '@gatehouse/protocol';

/**
 * The state of the receiver of `ws`, which emits nothing when a message begins. The fields are private, so the version
 * of `ws` is pinned, and test/gateway/arrival.spec.ts notices a change.
 */
interface Receiver {
  readonly _state: number;
  /** Bytes of the frame that is arriving. */
  readonly _bufferedBytes: number;
  /** Bytes of the fragments that have arrived. */
  readonly _messageLength: number;
  /** The opcode of the fragmented message, 0 if there is none. */
  readonly _fragmented: number;
  /** Why it stopped reading. */
  readonly errored: (Error & { readonly code?: string }) | null;
}

/** At the start of a frame; waiting for zlib, which is our delay and not the client's. */
const STATE = { beginning: 0, inflating: 5 } as const;

const BREACH_OF_CODE: Readonly<Record<string, CloseName>> = {
  WS_ERR_INVALID_UTF8: 'invalid_utf8',
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 'too_many_fragments',
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 'message_too_large',
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 'message_too_large',
};

/** `inflating`: in the middle of a message, but not waiting for the client. */
export type Arrival = 'none' | 'in_fragments' | 'in_a_frame' | 'inflating';

export function arrivalOf(connection: WebSocket): Arrival {
  const { _state, _bufferedBytes, _fragmented } = receiverOf(connection);
  if (_state === STATE.inflating) return 'inflating';
  if (_fragmented !== 0) return 'in_fragments';
  return _state === STATE.beginning && _bufferedBytes === 0 ? 'none' : 'in_a_frame';
}

/** Bytes of an incomplete message. */
export function arrivedBytes(connection: WebSocket): number {
  const { _bufferedBytes, _messageLength } = receiverOf(connection);
  return _bufferedBytes + _messageLength;
}

/** Why the receiver closes the connection; undefined if it does not. */
export function breachOf(connection: WebSocket): CloseName | undefined {
  const { errored } = receiverOf(connection);
  if (errored === null) return undefined;
  const { code = '' } = errored;
  if (code.startsWith('Z_')) return 'invalid_compression';
  return BREACH_OF_CODE[code] ?? 'protocol_error';
}

/** Whether the client's close frame has arrived: another private field of `ws`. */
export function hasCloseArrived(connection: WebSocket): boolean {
  return Reflect.get(connection, '_closeFrameReceived') === true;
}

export function receiverOf(connection: WebSocket): Writable & Receiver {
  return Reflect.get(connection, '_receiver') as Writable & Receiver;
}
