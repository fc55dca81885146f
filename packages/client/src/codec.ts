import { DEFAULT_SUBPROTOCOL, type ClientMessage, type Subprotocol } from '@gatehouse/protocol';
import type { Incoming } from './incoming.js';

/** How messages become frames. JSON is built in; `@gatehouse/client/msgpack` has another. */
export interface Codec {
  readonly subprotocol: Subprotocol;
  encode(message: ClientMessage): string | Uint8Array;
  /** Throws if the frame is not of this encoding. */
  decode(frame: string | Uint8Array): unknown;
}

export const json: Codec = {
  subprotocol: DEFAULT_SUBPROTOCOL,
  encode: (message) => JSON.stringify(message),
  decode(frame) {
    if (typeof frame !== 'string') throw new TypeError('binary');
    return JSON.parse(frame);
  },
};

/** Encrypts payloads from end to end: `@gatehouse/client/fernet`. */
export interface Cipher {
  readonly enc: string;
  seal(data: unknown): Promise<string>;
  /** The message with what is encrypted in it decrypted. Rejects if that was made with another key, or was changed. */
  openMessage(message: Incoming): Promise<Incoming>;
}
