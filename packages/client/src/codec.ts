import { DEFAULT_SUBPROTOCOL, type ClientMessage, type Subprotocol } from '@gatehouse/protocol';
import type { Incoming } from './incoming.js';

/**
 * How messages become frames. JSON is built in, with all messages of a turn in one frame if the server can do that;
 * `@gatehouse/client/msgpack` has another.
 */
export interface Codec {
  /** Several: the server takes the first that it knows. */
  readonly subprotocol: Subprotocol | readonly Subprotocol[];
  encode(message: ClientMessage): string | Uint8Array;
  /** One message, or a list of messages. Throws if the frame is not of this encoding. */
  decode(frame: string | Uint8Array): unknown;
}

export const json: Codec = {
  subprotocol: ['v1.json.batch', DEFAULT_SUBPROTOCOL],
  encode: (message) => JSON.stringify(message),
  // Bytes become a text of numbers, which is no JSON or no message.
  decode: (frame) => JSON.parse(String(frame)),
};

/** Encrypts payloads from end to end: `@gatehouse/client/fernet`. */
export interface Cipher {
  readonly enc: string;
  seal(data: unknown): Promise<string>;
  /** The message with what is encrypted in it decrypted. Rejects if that was made with another key, or was changed. */
  openMessage(message: Incoming): Promise<Incoming>;
}
