import type { Subprotocol } from '@gatehouse/protocol';
import type { Codec } from './codec.js';
import { jsonBatchCodec, jsonCodec } from './json-codec.js';
import { msgpackCodec } from './msgpack-codec.js';
import { protobufCodec } from './protobuf-codec.js';

export const CODECS: Readonly<Record<Subprotocol, Codec>> = {
  'v1.json': jsonCodec,
  'v1.json.batch': jsonBatchCodec,
  'v1.binary': msgpackCodec,
  'v2.proto': protobufCodec,
};

/** The first of the client's list that this server supports: the client's order decides, as RFC 6455 §4.2.2 permits. */
export function chooseSubprotocol(offered: readonly string[]): Subprotocol | undefined {
  return offered.find(isSubprotocol);
}

function isSubprotocol(name: string): name is Subprotocol {
  return Object.hasOwn(CODECS, name);
}
