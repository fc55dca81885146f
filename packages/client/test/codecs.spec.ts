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
