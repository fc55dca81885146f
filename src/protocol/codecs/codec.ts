import type { ServerMessage, Subprotocol } from '@gatehouse/protocol';

export type FrameKind = 'text' | 'binary';

/** Deeper payloads are refused by every codec, so that no recursion of ours depends on a depth that a client chose. */
export const MAX_DEPTH = 128;

/**
 * More lists and maps in one message are refused. An empty one takes a byte or two on the wire and about eighty in
 * memory, so 10 MB of them would fill a small process.
 */
export const MAX_CONTAINERS = 100_000;

/**
 * Turns frames into values and back. One implementation for each subprotocol; all pass
 * test/unit/protocol/codec-contract. A codec has no state and serves every connection.
 */
export interface Codec {
  readonly subprotocol: Subprotocol;
  readonly frameKind: FrameKind;

  /** Cuts a frame into its messages, if frames can have several. Undefined: the frame is one message. */
  split?(bytes: Buffer, most: number): readonly Buffer[] | undefined;

  /**
   * Decodes one whole message to a plain value, which is an object if the client follows the protocol. Allocates in
   * proportion to `bytes`, whatever lengths it declares.
   *
   * @throws GatehouseError INVALID_MESSAGE_FORMAT: not this encoding, deeper than MAX_DEPTH, more than
   *   MAX_CONTAINERS, a key `__proto__`, or a number that JSON cannot represent (Infinity, NaN, 1e400)
   */
  decode(bytes: Buffer): unknown;

  /**
   * Encodes a message to the payload of one frame: a string for text frames, bytes for binary ones. Infinity and NaN
   * become null, so that every receiver gets the same value.
   *
   * @throws TypeError or RangeError if a handler's value cannot be encoded (a cycle, a function, too deep)
   */
  encode(message: ServerMessage): string | Uint8Array;
}
