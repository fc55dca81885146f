import type { Codec } from './codec.js';
import { decode } from './msgpack/decode.js';
import { encode } from './msgpack/encode.js';

/** `v1.binary`: MessagePack. Carries bytes as `Uint8Array`, and integers beyond 2^53 as `bigint`. */
export const msgpack: Codec = {
  subprotocol: 'v1.binary',
  encode: (message) => encode(message),
  decode(frame) {
    if (typeof frame === 'string') throw new TypeError('text');
    return decode(frame);
  },
};
