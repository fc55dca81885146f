import type { ServerMessage, Subprotocol } from '@gatehouse/protocol';

export type FrameKind = 'text' | 'binary';

/** Deeper payloads than this are refused, whatever the codec: no recursion of ours runs on a depth the client chose. */
export const MAX_DEPTH = 128;

/**
 * More lists and maps than this in one message are refused: an empty one takes a byte or two on the wire and some
 * eighty in memory, so that 10 MB of them would take all of a small process.
 */
export const MAX_CONTAINERS = 100_000;

/**
 * Turns frames into values and back. One implementation a subprotocol; all pass test/unit/protocol/codec-contract.
 * A codec has no state: the same one serves every connection.
 */
export interface Codec {
  readonly subprotocol: Subprotocol;
  readonly frameKind: FrameKind;

  /**
   * Decodes one whole message to a plain value, an object where the client kept to the protocol.
   * Allocates in proportion to `bytes` however large the lengths it declares.
   *
   * @throws GatehouseError INVALID_MESSAGE_FORMAT: not this encoding, deeper than MAX_DEPTH, more than MAX_CONTAINERS, a key `__proto__`, or a number
   *   that JSON cannot carry (Infinity, NaN, 1e400)
   */
  decode(bytes: Buffer): unknown;

  /**
   * Encodes a message to the payload of one frame: a string for text frames, bytes for binary ones. Infinity and NaN become null,
   * so that every receiver gets the same value.
   *
   * @throws TypeError or RangeError when a handler's value cannot be written (a cycle, a function, too deep)
   */
  encode(message: ServerMessage): string | Uint8Array;
}
