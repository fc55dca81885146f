import type { Subprotocol } from '@gatehouse/protocol';

/** What a client could send, made by hand: the codecs under test must not be trusted to make it. */
export interface Specimens {
  /** An envelope whose data is lists within lists, `levels` of them. */
  nested(levels: number): Buffer;
  /** An envelope whose data is a map with these entries, in this order, keys as often as they stand here. */
  map(...keys: string[]): Buffer;
  /** Short frames that declare far more than they bring. */
  readonly huge: readonly string[];
  /** Frames that are no message at all, in hex. */
  readonly malformed: Readonly<Record<string, string>>;
}

const json: Specimens = {
  nested: (levels) => Buffer.from(`{"type":"t","data":${'['.repeat(levels)}${']'.repeat(levels)}}`),
  map: (...keys) => Buffer.from(`{"type":"t","data":{${keys.map((key, at) => `"${key}":${at}`).join()}}}`),
  huge: [],
  malformed: {
    'an unclosed object': hexOf('{"type":"t"'),
    'text after the object': hexOf('{"type":"t"}{}'),
    'a bare word': hexOf('hello'),
  },
};

/** {"type":"t","data": … */
const MSGPACK_HEAD = Buffer.from('82a474797065a174a464617461', 'hex');

const msgpack: Specimens = {
  nested: (levels) => Buffer.concat([MSGPACK_HEAD, Buffer.alloc(levels - 1, 0x91), Buffer.of(0x90)]),
  map: (...keys) => Buffer.concat([MSGPACK_HEAD, Buffer.of(0x80 + keys.length), ...keys.flatMap(msgpackEntry)]),
  huge: [
    'ddffffffff', // array of 2^32 - 1
    'dfffffffff', // map of 2^32 - 1
    'dbffffffff', // string
    'c6ffffffff', // bytes
    'c9ffffffff00', // extension
    'dc0fff'.repeat(400) + '00'.repeat(5000), // arrays within arrays, each of which alone would fit
  ],
  malformed: {
    'the byte 0xc1': 'c1',
    'a second value': '80c0',
    'an integer as key': '810102',
    'bytes as key': '81c4016102',
    'a list as key': '819002',
    'a record definition (fixext 1, type 0x72)': 'd4724091a16101',
    'a record definition (fixext 2, type 0x72)': 'd572400091a16101',
    'undefined as extension 0': 'd40000',
    'a set (extension 0x73)': 'd4730091a161',
    'a regular expression (extension 0x78)': 'd4780092a12ea0',
    'an error (extension 0x65)': 'd4650092a54572726f72a161',
    'a reference (extension 0x70)': 'd67000000001',
    'an identity (extension 0x69)': 'd6690000000190',
    'bundled strings (extension 0x62)': 'd66200000000a161a162',
    'a typed array (extension 0x74)': 'c705740101020304',
    'a big integer (extension 0x42)': 'c702420102',
    'a timestamp beyond what a date holds': 'c70cff000000007fffffffffffffff',
    'a timestamp of no known size': 'd4ff00',
    'a string that is no UTF-8': 'a2c328',
    'a lone surrogate as UTF-8': 'a3eda080',
    'a long string that is no UTF-8': `d950${'61'.repeat(79)}ff`,
  },
};

/** Envelope { type: "t"  data: … */
const protobuf: Specimens = {
  nested: (levels) => protobufNested(levels),
  map: (...keys) => {
    const entries = keys.map((key, at) => field(1, field(1, Buffer.from(key)), field(2, Buffer.of(0x20, 2 * at))));
    return Buffer.concat([Buffer.from('120174', 'hex'), field(5, field(9, ...entries))]);
  },
  huge: ['12ffffffff07', '2affffffff07', '32ffffffff07', '2a0642ffffffff07', '2a0842060affffffff07'],
  malformed: {
    'field number 0': '0001',
    'wire type 6': '0e00',
    'wire type 7': '0f00',
    'an end of a group that never began': '0c',
    'a group that never ends': '0b',
    'groups within groups, 200 deep': '0b'.repeat(200) + '0c'.repeat(200),
    'a varint of eleven bytes': '08ffffffffffffffffffff01',
    'a string that is no UTF-8': '1202c328',
    'a lone surrogate as UTF-8': '1203eda080',
    'a long string that is no UTF-8': `1250${'61'.repeat(79)}ff`,
    'a value that runs over the end of its message': '2a0332056162636465',
    'a list that runs over the end of its value': '2a0242040a022001',
  },
};

export const SPECIMENS: Readonly<Record<Subprotocol, Specimens>> = {
  'v1.json': json,
  'v1.json.batch': json,
  'v1.binary': msgpack,
  'v2.proto': protobuf,
};

function hexOf(text: string): string {
  return Buffer.from(text).toString('hex');
}

function msgpackEntry(key: string, at: number): Buffer[] {
  return [Buffer.of(0xa0 + Buffer.byteLength(key)), Buffer.from(key), Buffer.of(at)];
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

function field(number: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(body.length)]), body]);
}

/** Written from the inside out, since every length depends on what is within. */
function protobufNested(levels: number): Buffer {
  const buffer = Buffer.alloc(16 + 12 * levels);
  let start = buffer.length;
  const wrap = (tag: number): void => {
    const head = [tag, ...varint(buffer.length - start)];
    start -= head.length;
    buffer.set(head, start);
  };
  wrap(0x42);
  for (let level = 1; level < levels; level++) {
    wrap(0x0a);
    wrap(0x42);
  }
  wrap(0x2a);
  return Buffer.concat([Buffer.from('120174', 'hex'), buffer.subarray(start)]);
}
