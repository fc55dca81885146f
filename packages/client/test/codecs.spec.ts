import { describe, expect, it } from 'vitest';
import { Packr, Unpackr } from 'msgpackr';
import { msgpack } from '../src/msgpack.js';
import { fernet } from '../src/fernet.js';

const KEY = 'cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=';
/** Of the Fernet specification. */
const TOKEN = 'gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==';

const VALUES: unknown[] = [
  null,
  true,
  false,
  0,
  127,
  128,
  -1,
  -32,
  -33,
  2 ** 31,
  -(2 ** 31),
  2 ** 53 - 1,
  -(2 ** 53 - 1),
  1.5,
  -0.25,
  1e300,
  '',
  'größe 🙂',
  'x'.repeat(31),
  'x'.repeat(32),
  'x'.repeat(300),
  'x'.repeat(70_000),
  [],
  [1, [2, [3]]],
  Array.from({ length: 20 }, (_, index) => index),
  Array.from({ length: 70_000 }, () => 0),
  {},
  { a: { b: [null, 'c'] } },
  Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`key ${index}`, index])),
  new Date(1_767_225_600_123),
  new Date(-1_500),
];

describe('the MessagePack codec', () => {
  it('writes what the library of the server reads, and reads what it writes', () => {
    const library = {
      pack: new Packr({ useRecords: false }),
      unpack: new Unpackr({ int64AsType: 'number', useRecords: false, mapsAsObjects: true }),
    };
    for (const value of VALUES) {
      const message = { type: 'echo', data: value };
      expect(library.unpack.unpack(msgpack.encode(message) as Uint8Array)).toEqual(message);
      expect(msgpack.decode(Uint8Array.from(library.pack.pack(message)))).toEqual(message);
    }
  });

  it('keeps bytes and large integers', () => {
    const data = { bytes: Uint8Array.of(0, 255), large: 2n ** 63n, small: -(2n ** 63n) };
    expect(msgpack.decode(msgpack.encode({ type: 'echo', data }) as Uint8Array)).toEqual({ type: 'echo', data });
  });

  it.each<[string, string, unknown]>([
    ['nil', 'c0', null],
    ['uint 8', 'ccff', 255],
    ['uint 16', 'cdffff', 65_535],
    ['uint 32', 'ceffffffff', 4_294_967_295],
    ['uint 64', 'cf0000000100000000', 4_294_967_296],
    ['a large uint 64', 'cfffffffffffffffff', 2n ** 64n - 1n],
    ['int 8', 'd080', -128],
    ['int 16', 'd18000', -32_768],
    ['int 32', 'd280000000', -2_147_483_648],
    ['int 64', 'd3ffffffff00000000', -4_294_967_296],
    ['float 32', 'ca3fc00000', 1.5],
    ['float 64', 'cb3ff8000000000000', 1.5],
    ['str 8', 'd90161', 'a'],
    ['str 16', 'da000161', 'a'],
    ['str 32', 'db0000000161', 'a'],
    ['bin 8', 'c40201ff', Uint8Array.of(1, 255)],
    ['bin 16', 'c5000201ff', Uint8Array.of(1, 255)],
    ['bin 32', 'c60000000201ff', Uint8Array.of(1, 255)],
    ['array 16', 'dc000101', [1]],
    ['array 32', 'dd0000000101', [1]],
    ['map 16', 'de0001a16101', { a: 1 }],
    ['map 32', 'df00000001a16101', { a: 1 }],
    ['a map whose key is a number', '810102', { 1: 2 }],
    ['timestamp 32', 'd6ff00000001', new Date(1_000)],
    ['timestamp 64', 'd7ff7735940000000001', new Date(1_500)],
    ['timestamp 96', 'c70cff1dcd6500ffffffffffffffff', new Date(-500)],
    ['an extension that nobody knows', 'd401ff', Uint8Array.of(255)],
    ['a long one', 'c7020101ff', Uint8Array.of(1, 255)],
  ])('reads %s as the specification writes it', (_format, hex, data) => {
    // A map with the one field `data`.
    expect(msgpack.decode(Uint8Array.from(Buffer.from(`81a464617461${hex}`, 'hex')))).toEqual({ data });
  });

  it('writes what JSON would write where MessagePack has more or less than JSON', () => {
    const odd = { none: undefined, act: () => 1, nan: Number.NaN, never: new Date(Number.NaN), list: [undefined] };
    const written = msgpack.encode({ type: 'echo', data: { ...odd, zero: -0, huge: 1e21 } }) as Uint8Array;
    const data = { nan: null, never: null, list: [null], zero: -0, huge: 1e21 };
    expect(msgpack.decode(written)).toEqual({ type: 'echo', data });
  });

  it('refuses to write an integer of more than 64 bits, and what is nested without an end', () => {
    const circle: unknown[] = [];
    circle.push(circle);
    for (const data of [2n ** 64n, -(2n ** 63n) - 1n, circle])
      expect(() => msgpack.encode({ type: 'echo', data })).toThrow(RangeError);
    expect(() => msgpack.decode(new Uint8Array(300).fill(0x91))).toThrow(RangeError);
  });

  it('refuses what is cut off, too long or no MessagePack, and takes no memory for it', () => {
    const bytes = msgpack.encode({ type: 'echo', data: 'x'.repeat(40) }) as Uint8Array;
    for (let length = 0; length < bytes.length; length += 1)
      expect(() => msgpack.decode(bytes.slice(0, length))).toThrow();
    for (const wrong of [
      [0xc1],
      [0xdd, 255, 255, 255, 255],
      [0xdf, 255, 255, 255, 255],
      [0xc6, 255, 255, 255, 255],
      [1, 2],
    ])
      expect(() => msgpack.decode(Uint8Array.from(wrong))).toThrow();
    expect(() => msgpack.decode('text')).toThrow(TypeError);
  });
});

describe('the Fernet cipher', () => {
  it('opens the token of the specification, and what it has sealed', async () => {
    const cipher = fernet(KEY);
    await expect(cipher.open(await cipher.seal({ text: 'größe 🙂' }))).resolves.toEqual({ text: 'größe 🙂' });
    // The content of that token is the text hello, which is no JSON.
    await expect(cipher.open(TOKEN)).rejects.toThrow(SyntaxError);
  });

  it('opens with any of its keys, and refuses other keys and changed tokens', async () => {
    const old = fernet(KEY);
    const key = btoa(String.fromCharCode(...Array.from({ length: 32 }, (_, index) => index)));
    const token = await old.seal(1);
    await expect(fernet(key, KEY).open(token)).resolves.toBe(1);
    await expect(fernet(key).open(token)).rejects.toThrow('another key');
    await expect(old.open(token.slice(0, 30) + (token[30] === 'A' ? 'B' : 'A') + token.slice(31))).rejects.toThrow(
      'another key',
    );
    await expect(fernet(btoa('short')).seal(1)).rejects.toThrow('32 bytes');
  });
});
