import { WIRES } from './wires.js';

/** A message that is no good, and what its sender must get for it. */
export interface Malformed {
  readonly subprotocol: string;
  readonly what: string;
  readonly bytes: string | Uint8Array;
  readonly code: string;
  /** The id that the answer must bear; most were too broken to have one. */
  readonly id?: string | number;
}

/** Stands in every message below; no answer may repeat it. */
export const MARK = 'do-not-echo-me';
const FORMAT = 'INVALID_MESSAGE_FORMAT';
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

function json(what: string, bytes: string, code = FORMAT, id?: string | number): Malformed {
  return { subprotocol: 'v1.json', what, bytes, code, ...(id === undefined ? {} : { id }) };
}

const JSON_MESSAGES: Malformed[] = [
  json('nothing', ''),
  json('white space', '  \n'),
  json('truncated object', `{"type":"echo","data":"${MARK}"`),
  json('truncated string', `{"type":"${MARK}`),
  json('no JSON', `echo ${MARK}`),
  json('trailing garbage', `{"type":"echo"}${MARK}`),
  json('two objects', '{"type":"echo"}{"type":"echo"}'),
  json('trailing comma', '{"type":"echo",}'),
  json('single quotes', "{'type':'echo'}"),
  json('a comment', '{"type":"echo"/* hi */}'),
  json('a byte order mark', '\ufeff{"type":"echo"}'),
  json('a raw control character', '{"type":"echo","data":"a\u0001b"}'),
  json('NaN', '{"type":"echo","data":NaN}'),
  json('Infinity', '{"type":"echo","id":Infinity}'),
  json('hexadecimal', '{"type":"echo","id":0x10}'),
  json('undefined', '{"type":"echo","data":undefined}'),
  json('array', `["echo","${MARK}"]`),
  json('empty array', '[]'),
  json('number', '42'),
  json('text', `"${MARK}"`),
  json('null', 'null'),
  json('true', 'true'),
  json('empty object', '{}'),
  json('no type', '{"id":"i","data":1}', FORMAT, 'i'),
  json('type null', '{"type":null,"id":1}', FORMAT, 1),
  json('type empty', '{"type":"","id":1}', FORMAT, 1),
  json('type a number', '{"type":7,"id":1}', FORMAT, 1),
  json('type an object', `{"type":{"${MARK}":1},"id":1}`, FORMAT, 1),
  json('type an array', '{"type":["echo"],"id":1}', FORMAT, 1),
  json('type too long', `{"type":"${'t'.repeat(129)}","id":1}`, FORMAT, 1),
  json('event a number', '{"event":7,"id":1}', FORMAT, 1),
  json('id too long', `{"type":"echo","id":"${'i'.repeat(65)}"}`),
  json('id a fraction', '{"type":"echo","id":1.5}'),
  json('id beyond safe integers', '{"type":"echo","id":9007199254740993}'),
  json('id beyond doubles', '{"type":"echo","id":1e999}'),
  json('id true', '{"type":"echo","id":true}'),
  json('id an object', `{"type":"echo","id":{"${MARK}":1}}`),
  json('id an array', '{"type":"echo","id":[1]}'),
  json('version 2', '{"v":2,"type":"echo","id":1}', 'UNSUPPORTED_VERSION', 1),
  json('version 0', '{"v":0,"type":"echo","id":1}', 'UNSUPPORTED_VERSION', 1),
  json('version -1', '{"v":-1,"type":"echo","id":1}', 'UNSUPPORTED_VERSION', 1),
  json('version a fraction', '{"v":1.5,"type":"echo","id":1}', FORMAT, 1),
  json('version a text', '{"v":"1","type":"echo","id":1}', FORMAT, 1),
  json('version an object', '{"v":{},"type":"echo","id":1}', FORMAT, 1),
  json('trace a number', '{"type":"echo","id":1,"trace":5}', FORMAT, 1),
  json('enc a number', '{"type":"echo","id":1,"enc":5}', FORMAT, 1),
  json(
    'enc, where nothing can be decrypted',
    `{"type":"echo","id":1,"enc":"fernet","data":"${MARK}"}`,
    'DECRYPTION_FAILED',
    1,
  ),
  json('__proto__', `{"type":"echo","id":1,"__proto__":{"${MARK}":1}}`),
  json('__proto__, deep', `{"type":"echo","id":1,"data":[{"a":{"__proto__":null}}]}`),
  json('__proto__, escaped', '{"type":"echo","id":1,"data":{"\\u005f_proto__":1}}'),
  json('arrays nested too deep', `{"type":"echo","id":1,"data":${nested(200)}}`),
  json('objects nested too deep', `{"type":"echo","id":1,"data":${'{"a":'.repeat(200)}1${'}'.repeat(200)}}`),
  json('a hundred thousand brackets', '['.repeat(100_000)),
  json('unknown type', `{"type":"${MARK}","id":"i"}`, 'UNKNOWN_MESSAGE_TYPE', 'i'),
  json('type constructor', '{"type":"constructor","id":1}', 'UNKNOWN_MESSAGE_TYPE', 1),
  json('type __proto__', '{"type":"__proto__","id":1}', 'UNKNOWN_MESSAGE_TYPE', 1),
  json('the reply’s type', '{"type":"echo_reply","id":1}', 'UNKNOWN_MESSAGE_TYPE', 1),
  json(
    'data that does not validate',
    `{"type":"send_message","id":1,"data":{"targetUserId":["${MARK}"]}}`,
    'VALIDATION_FAILED',
    1,
  ),
  json('data that is no object', `{"type":"send_message","id":1,"data":"${MARK}"}`, 'VALIDATION_FAILED', 1),
];

/** What two binary encodings can get wrong alike. */
const BINARY_BODIES: [what: string, message: Record<string, unknown>, code: string, id?: string | number][] = [
  ['type too long', { type: 't'.repeat(129), id: 1 }, FORMAT, 1],
  ['type empty', { type: '', id: 'i' }, FORMAT, 'i'],
  ['id too long', { type: 'echo', id: 'i'.repeat(65) }, FORMAT],
  ['unknown type', { type: MARK, id: 'i' }, 'UNKNOWN_MESSAGE_TYPE', 'i'],
  ['no type', { id: 5, data: MARK }, FORMAT, 5],
  ['enc', { type: 'echo', id: 1, enc: 'fernet', data: MARK }, 'DECRYPTION_FAILED', 1],
  ['invalid data', { type: 'send_message', id: 1, data: { targetUserId: 1, message: MARK } }, 'VALIDATION_FAILED', 1],
];

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

const MESSAGE_PACK: [what: string, bytes: Uint8Array][] = [
  ['nothing', hex('')],
  ['an integer', hex('2a')],
  ['nil', hex('c0')],
  ['an array', hex('91 01')],
  ['the code that is never used', hex('c1')],
  ['a truncated map', hex('82 a4 74797065')],
  ['a truncated string', hex('d9 ff 61')],
  ['a map of four billion', hex('df ffffffff')],
  ['an array of four billion', hex('81 a4 64617461 dd ffffffff')],
  ['a binary of four billion', hex('81 a4 64617461 c6 ffffffff')],
  ['bytes behind the end', Buffer.concat([hex('81 a4 74797065 a4 6563686f'), Buffer.from(MARK)])],
  ['an unknown extension', hex('82 a4 74797065 a4 6563686f a4 64617461 d4 7f 00')],
  ['JSON', Buffer.from(`{"type":"echo","data":"${MARK}"}`)],
  ['nested too deep', hex(`82 a4 74797065 a4 6563686f a4 64617461 ${'91'.repeat(200)} 01`)],
  ['__proto__', hex('82 a4 74797065 a4 6563686f a9 5f5f70726f746f5f5f 80')],
];

const PROTOBUF: [what: string, bytes: Uint8Array][] = [
  ['nothing', hex('')],
  ['a truncated tag', hex('80')],
  ['a string longer than the frame', hex('12 7f 61')],
  ['a length of four billion', hex('12 ff ff ff ff 0f')],
  ['an endless varint', hex('08 ff ff ff ff ff ff ff ff ff ff ff')],
  ['a field number 0', hex('00 00')],
  ['a group without end', hex('12 04 6563686f 7b')],
  ['an unknown wire type', hex('12 04 6563686f 7f')],
  ['nested too deep', Buffer.concat([hex('12 04 6563686f'), nestedValue(200)])],
  ['type that is no UTF-8', hex('12 02 c3 28')],
  ['JSON', Buffer.from(`{"type":"echo","data":"${MARK}"}`)],
];

/** The field `data` with lists in lists. */
function nestedValue(depth: number): Buffer {
  let value: Buffer = Buffer.alloc(0);
  for (let level = 0; level < depth; level += 1) value = field(0x42, field(0x0a, value));
  return field(0x2a, value);
}

function field(tag: number, content: Buffer): Buffer {
  const { length } = content;
  return Buffer.concat([
    Buffer.from(length < 128 ? [tag, length] : [tag, 0x80 | (length & 0x7f), length >> 7]),
    content,
  ]);
}

function binary(subprotocol: string, bare: typeof MESSAGE_PACK): Malformed[] {
  const wire = WIRES.find((candidate) => candidate.subprotocol === subprotocol);
  if (wire === undefined) throw new Error(`no such subprotocol: ${subprotocol}`);
  return [
    ...bare.map(([what, bytes]) => ({ subprotocol, what, bytes, code: FORMAT })),
    ...BINARY_BODIES.map(([what, message, code, id]) => {
      const bytes = wire.write(message);
      return { subprotocol, what, bytes, code, ...(id === undefined ? {} : { id }) };
    }),
  ];
}

export const MALFORMED: readonly Malformed[] = [
  ...JSON_MESSAGES,
  ...binary('v1.binary', MESSAGE_PACK),
  ...binary('v2.proto', PROTOBUF),
  {
    subprotocol: 'v2.proto',
    what: 'version 2',
    bytes: hex('08 02 12 04 6563686f 20 02'),
    code: 'UNSUPPORTED_VERSION',
    id: 1,
  },
];
