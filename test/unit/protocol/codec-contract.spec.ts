import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Codec } from '../../../src/protocol/codecs/codec.js';
import { type ServerMessage, type ErrorCode, ERRORS } from '@gatehouse/protocol';
import { EnvelopeError, readEnvelope } from '../../../src/protocol/envelope.js';
import { CODECS } from '../../../src/protocol/codecs/subprotocols.js';
import { ANY_CHARACTER } from '../../support/any-character.js';

const FULL_MESSAGE: ServerMessage = {
  type: 'message',
  id: 'c-17',
  channel: 'room:löbby',
  seq: 4_294_967_297,
  epoch: 'k3f9x',
  ts: 1_763_812_800_123,
  from: { userId: 'u-1', sessionId: 's-1' },
  trace: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  enc: 'fernet',
  data: { text: 'hi "there"\n', list: [1, -1, 0.5, null, true, {}], nested: { deep: [[[]]] } },
};

describe.each(Object.values(CODECS))('codec $subprotocol', (codec) => {
  it('brings every envelope field through', () => {
    expect(roundTrip(codec, FULL_MESSAGE)).toEqual({ v: 1, ...FULL_MESSAGE });
  });

  it('writes no absent field', () => {
    const message = { type: 'pong', id: undefined, channel: undefined, from: undefined, data: undefined };
    expect(roundTrip(codec, message)).toStrictEqual({ v: 1, type: 'pong' });
  });

  it('keeps null data apart from absent data', () => {
    expect(roundTrip(codec, { type: 't', data: null })).toStrictEqual({ v: 1, type: 't', data: null });
  });

  it.each(['c-17', '', 'é"\\\u0000\u2028😀', 0, 17, -1, 2 ** 40, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])(
    'brings the id %j through, and readEnvelope takes it',
    (id) => {
      expect(readEnvelope(roundTrip(codec, { type: 't', id }))).toMatchObject({ type: 't', id });
    },
  );

  it.each(Object.keys(ERRORS) as ErrorCode[])('brings the error %s through', (code) => {
    const { message } = ERRORS[code];
    expect(roundTrip(codec, { type: 'error', code, message })).toStrictEqual({ v: 1, type: 'error', code, message });
    const full = {
      type: 'error',
      id: 7,
      trace: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      code,
      message,
      details: { 'a.b': ['must be a string', 'é'], none: [] },
    } as const;
    expect(roundTrip(codec, { ...full, retryAfter: 1500 })).toStrictEqual({ v: 1, ...full, retryAfter: 1500 });
  });

  it('brings any JSON value through', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: ANY_CHARACTER }), (value) => {
        // JSON has one zero.
        const data: unknown = JSON.parse(JSON.stringify(value));
        fc.pre(!JSON.stringify(data).includes('__proto__'));
        expect(roundTrip(codec, { type: 't', data })).toStrictEqual({ v: 1, type: 't', data });
      }),
    );
  });

  it.each([0, 1, 127, 128, 255, 256, 65_535, 65_536, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 1e300, 5e-324])(
    'brings the number %d and its negative through',
    (number) => {
      const data = [number, -number + 0];
      expect(roundTrip(codec, { type: 't', data })).toEqual({ v: 1, type: 't', data });
    },
  );

  it.each([31, 32, 63, 64, 127, 128, 255, 256, 65_535, 65_536])(
    'brings a string of %d characters through',
    (length) => {
      for (const letter of ['a', 'é', '漢', '😀']) {
        const data = { [letter.repeat(length)]: letter.repeat(length) };
        expect(roundTrip(codec, { type: 't', data })).toEqual({ v: 1, type: 't', data });
      }
    },
  );

  it('writes collections of 70,000 elements', () => {
    const list = Array.from({ length: 70_000 }, (_, at) => at);
    const data = { list, map: Object.fromEntries(list.map((at) => [`k${at}`, at])) };
    expect(roundTrip(codec, { type: 't', data })).toEqual({ v: 1, type: 't', data });
  });

  it('writes own fields of class instances, asks toJSON, and leaves undefined fields out', () => {
    class Post {
      text = 'hi';
      draft = undefined;
    }
    const data = { post: new Post(), url: new URL('http://a.test/'), own: { toJSON: () => [1, undefined] } };
    expect(roundTrip(codec, { type: 't', data })).toMatchObject({
      data: { post: { text: 'hi' }, url: 'http://a.test/', own: [1, null] },
    });
  });

  it('writes back what a client may send, whatever its keys are called', () => {
    const data = { constructor: 1, toJSON: 1, hasOwnProperty: 1, toString: null, length: -1, prototype: {} };
    expect(roundTrip(codec, { type: 't', data })).toEqual({ v: 1, type: 't', data });
  });

  it.each([
    ['a function', () => () => 1, TypeError],
    ['a symbol', () => Symbol('s'), TypeError],
    ['a promise nobody awaited', () => Promise.resolve(1), TypeError],
    ['a Map', () => new Map(), TypeError],
    ['a Set', () => new Set(), TypeError],
    ['a Float32Array', () => new Float32Array(1), TypeError],
    ['a cycle', () => cycle(), RangeError],
    ['a toJSON that returns itself', () => ({ toJSON: self }), RangeError],
    ['145 levels', () => nest(144), RangeError],
  ])('refuses to encode %s', (_, make, error) => {
    expect(() => codec.encode({ type: 't', data: [make()] })).toThrow(error);
  });

  it('has nothing left of a message that could not be encoded', () => {
    const before = codec.encode(FULL_MESSAGE);
    expect(() => codec.encode({ type: 't', data: ['x'.repeat(100), cycle()] })).toThrow(RangeError);
    expect(codec.encode(FULL_MESSAGE)).toEqual(before);
  });

  it('writes a reply around the deepest data it reads', () => {
    const data = { publications: [{ data: nest(127) }] };
    expect(() => codec.encode({ type: 'subscribe_reply', data })).not.toThrow();
  });

  it('gives each message bytes of its own', () => {
    const first = Buffer.from(codec.encode(FULL_MESSAGE));
    const kept = codec.encode(FULL_MESSAGE);
    for (let round = 0; round < 300; round++) codec.encode({ type: 't', data: 'x'.repeat(round * 10) });
    expect(Buffer.from(kept)).toEqual(first);
  });

  it('gives decoded values that do not change with the frame they came in', () => {
    const frame = Buffer.from(codec.encode({ type: 't', data: { text: 'abc', bytes: Buffer.from('abc') } }));
    const body = codec.decode(frame);
    const before = structuredClone(body);
    frame.fill(0);
    expect(structuredClone(body)).toEqual(before);
  });
});

describe('what the codecs make of values that not all of them know', () => {
  const bytes = Buffer.from('00ff10', 'hex');

  it.each(['v1.binary', 'v2.proto'] as const)('%s carries bytes as bytes', (name) => {
    for (const data of [bytes, new Uint8Array(bytes)]) {
      expect(roundTrip(CODECS[name], { type: 't', data })).toEqual({ v: 1, type: 't', data: bytes });
      expect(roundTrip(CODECS[name], { type: 't', data: [data] })).toEqual({ v: 1, type: 't', data: [bytes] });
    }
  });

  it('v1.json carries bytes as base64, wherever they lie', () => {
    const data = { bytes, list: [new Uint8Array(bytes)] };
    expect(CODECS['v1.json'].encode({ type: 't', data })).toBe(
      '{"v":1,"type":"t","data":{"bytes":"AP8Q","list":["AP8Q"]}}',
    );
    expect(CODECS['v1.json'].encode({ type: 't', data: bytes })).toBe('{"v":1,"type":"t","data":"AP8Q"}');
  });

  it.each(['v1.binary', 'v2.proto'] as const)('%s carries integers up to 64 bits, beyond 2^53 as bigint', (name) => {
    const data = [2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 63n, 2n ** 64n - 1n];
    expect(roundTrip(CODECS[name], { type: 't', data })).toEqual({ v: 1, type: 't', data });
    expect(roundTrip(CODECS[name], { type: 't', data: 7n })).toEqual({ v: 1, type: 't', data: 7 });
    expect(() => CODECS[name].encode({ type: 't', data: 2n ** 64n })).toThrow(RangeError);
  });

  it('v1.json carries a bigint as a decimal string', () => {
    expect(CODECS['v1.json'].encode({ type: 't', data: [2n ** 64n] })).toBe(
      '{"v":1,"type":"t","data":["18446744073709551616"]}',
    );
  });

  it.each([NaN, Infinity, -Infinity])(
    '%d, which JSON cannot carry, is null for the receivers of every codec',
    (data) => {
      for (const codec of Object.values(CODECS)) {
        expect(roundTrip(codec, { type: 't', data })).toMatchObject({ data: null });
        expect(roundTrip(codec, { type: 't', data: { deep: [1.5, data] } })).toMatchObject({
          data: { deep: [1.5, null] },
        });
        const large = [Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, 0.1, 2 ** 53, -(2 ** 53), 2 ** 32 + 0.5];
        expect(roundTrip(codec, { type: 't', data: large })).toMatchObject({ data: large });
      }
    },
  );

  it.each(['7ff8000000000000', '7ff0000000000000', 'fff0000000000000'])(
    'the 64-bit float %s, which JSON cannot carry, is refused in what a client sends',
    (hex) => {
      const float = Buffer.from(hex, 'hex');
      const binary = Buffer.concat([Buffer.from('82a474797065a174a464617461cb', 'hex'), float]);
      const proto = Buffer.concat([Buffer.from('1201742a0919', 'hex'), float.toReversed()]);
      expect(() => CODECS['v1.binary'].decode(binary)).toThrow(EnvelopeError);
      expect(() => CODECS['v2.proto'].decode(proto)).toThrow(EnvelopeError);
      // The same frames with a number in them are read.
      const half = Buffer.from('3fe0000000000000', 'hex');
      expect(CODECS['v1.binary'].decode(Buffer.concat([binary.subarray(0, -8), half]))).toMatchObject({ data: 0.5 });
      expect(CODECS['v2.proto'].decode(Buffer.concat([proto.subarray(0, -8), half.toReversed()]))).toMatchObject({
        data: 0.5,
      });
    },
  );

  it.each(['7fc00000', '7f800000', 'ff800000'])('the 32-bit float %s is refused in MessagePack', (hex) => {
    const head = Buffer.from('82a474797065a174a464617461ca', 'hex');
    expect(() => CODECS['v1.binary'].decode(Buffer.concat([head, Buffer.from(hex, 'hex')]))).toThrow(EnvelopeError);
    const largest = Buffer.concat([head, Buffer.from('7f7fffff', 'hex')]);
    expect(CODECS['v1.binary'].decode(largest)).toMatchObject({ type: 't' });
  });

  it.each([
    '1e400',
    '-1E+309',
    '0.5e0400',
    '9'.repeat(310),
    `${'9'.repeat(250)}e99`,
    `[${'"x",'.repeat(37)}${'1'.repeat(310)}]`,
    `{"a":["e123",{"b":1e999}]}`,
  ])('the JSON number in %s, too large for a double, is refused', (data) => {
    expect(() => CODECS['v1.json'].decode(Buffer.from(`{"type":"t","data":${data}}`))).toThrow(EnvelopeError);
  });

  it('what only looks like such a number in JSON is read as it is', () => {
    const data = ['1e400', '9'.repeat(1_000), 1e308, 0, 123456789];
    const text = `{"type":"t","data":["1e400","${'9'.repeat(1_000)}",1e308,1e-400,123456789]}`;
    expect(CODECS['v1.json'].decode(Buffer.from(text))).toMatchObject({ data });
  });

  it.each([0, 1_763_812_800_123, -1, 253_402_300_799_999])(
    'a date (%d) is a timestamp in MessagePack, ISO text elsewhere',
    (ms) => {
      const date = new Date(ms);
      expect(roundTrip(CODECS['v1.json'], { type: 't', data: { date } })).toMatchObject({
        data: { date: date.toISOString() },
      });
      expect(roundTrip(CODECS['v1.binary'], { type: 't', data: { date } })).toMatchObject({ data: { date } });
      expect(roundTrip(CODECS['v2.proto'], { type: 't', data: { date } })).toMatchObject({
        data: { date: date.toISOString() },
      });
    },
  );

  it.each(Object.values(CODECS))('an invalid date is null in $subprotocol', (codec) => {
    expect(roundTrip(codec, { type: 't', data: { date: new Date(NaN) } })).toMatchObject({ data: { date: null } });
  });

  it('a byte order mark begins a long string in all but MessagePack, where msgpackr may drop it', () => {
    const data = `\ufeff${'x'.repeat(100)}`;
    expect(roundTrip(CODECS['v1.json'], { type: 't', data })).toMatchObject({ data });
    // Whether it does depends on what its decoder met before.
    expect([data, data.slice(1)]).toContainEqual(
      (roundTrip(CODECS['v1.binary'], { type: 't', data }) as { data: unknown }).data,
    );
    expect(roundTrip(CODECS['v2.proto'], { type: 't', data })).toMatchObject({ data });
  });

  it('a lone surrogate is an escape in JSON, U+FFFD where strings are UTF-8', () => {
    for (const text of ['\ud800', 'x'.repeat(200) + '\udfff']) {
      const fixed = text.toWellFormed();
      expect(roundTrip(CODECS['v1.json'], { type: text, data: { [text]: text } })).toMatchObject({
        data: { [text]: text },
      });
      for (const name of ['v1.binary', 'v2.proto'] as const) {
        const body = roundTrip(CODECS[name], { type: text, data: { [text]: text } });
        expect(body).toEqual({ v: 1, type: fixed, data: { [fixed]: fixed } });
      }
    }
  });
});

function roundTrip(codec: Codec, message: ServerMessage): unknown {
  const frame = codec.encode(message);
  expect(typeof frame === 'string' ? 'text' : 'binary').toBe(codec.frameKind);
  try {
    return codec.decode(Buffer.from(frame));
  } catch (error) {
    if (!(error instanceof EnvelopeError)) throw error;
    throw new Error(`cannot read its own ${Buffer.from(frame).toString('hex')}`, { cause: error });
  }
}

function nest(levels: number): unknown {
  let value: unknown = [];
  for (let level = 1; level < levels; level++) value = [value];
  return value;
}

function cycle(): unknown {
  const parent: { children: unknown[] } = { children: [] };
  for (let child = 0; child < 20; child++) parent.children.push({ parent });
  return parent;
}

function self(this: unknown): unknown {
  return this;
}
