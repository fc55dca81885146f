import type { WebSocket } from 'ws';
import type { CloseName } from '@gatehouse/protocol';

/**
 * What is read of the receiver of `ws`, which tells nobody that a message has begun. Its fields are its own, so the version
 * of `ws` is pinned, and test/gateway/arrival.spec.ts notices where they are no more what they were.
 */
interface Receiver {
  readonly _state: number;
  /** Bytes of the frame in arrival. */
  readonly _bufferedBytes: number;
  /** Bytes of the fragments that are there. */
  readonly _messageLength: number;
  /** The opcode of the message in fragments, 0 where none is. */
  readonly _fragmented: number;
  /** Why it stopped to read. */
  readonly errored: (Error & { readonly code?: string }) | null;
}

/** At the beginning of a frame; waiting for zlib, which is our own slowness and none of the client's. */
const STATE = { beginning: 0, inflating: 5 } as const;

const BREACH_OF_CODE: Readonly<Record<string, CloseName>> = {
  WS_ERR_INVALID_UTF8: 'invalid_utf8',
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 'too_many_fragments',
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 'message_too_large',
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 'message_too_large',
};

/** `inflating`: in the middle of a message, but what it waits for is not the client. */
export type Arrival = 'none' | 'in_fragments' | 'in_a_frame' | 'inflating';

export function arrivalOf(connection: WebSocket): Arrival {
  const { _state, _bufferedBytes, _fragmented } = receiverOf(connection);
  if (_state === STATE.inflating) return 'inflating';
  if (_fragmented !== 0) return 'in_fragments';
  return _state === STATE.beginning && _bufferedBytes === 0 ? 'none' : 'in_a_frame';
}

/** Bytes of a message that is not complete. */
export function arrivedBytes(connection: WebSocket): number {
  const { _bufferedBytes, _messageLength } = receiverOf(connection);
  return _bufferedBytes + _messageLength;
}

/** What the receiver closes the connection for; undefined where it does not. */
export function breachOf(connection: WebSocket): CloseName | undefined {
  const { errored } = receiverOf(connection);
  if (errored === null) return undefined;
  const { code = '' } = errored;
  if (code.startsWith('Z_')) return 'invalid_compression';
  return BREACH_OF_CODE[code] ?? 'protocol_error';
}

/** Whether the client's close frame has come: another field that `ws` keeps to itself. */
export function hasCloseArrived(connection: WebSocket): boolean {
  return Reflect.get(connection, '_closeFrameReceived') === true;
}

function receiverOf(connection: WebSocket): Receiver {
  return Reflect.get(connection, '_receiver') as Receiver;
}
