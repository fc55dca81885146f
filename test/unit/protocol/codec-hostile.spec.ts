import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Codec, MAX_CONTAINERS, MAX_DEPTH } from '../../../src/protocol/codecs/codec.js';
import { EnvelopeError } from '../../../src/protocol/envelope.js';
import { CODECS } from '../../../src/protocol/codecs/subprotocols.js';
import { SPECIMENS } from './specimens.js';

describe.each(Object.values(CODECS))('codec $subprotocol, against a hostile client', (codec) => {
  const specimens = SPECIMENS[codec.subprotocol];

  it('reads containers down to MAX_DEPTH, the envelope counted, and refuses one more', () => {
    expect(codec.decode(specimens.nested(MAX_DEPTH - 1))).toMatchObject({ type: 't' });
    expectRefusal(codec, specimens.nested(MAX_DEPTH));
    expectRefusal(codec, specimens.nested(MAX_DEPTH + 1));
  });

  it('refuses a hundred thousand containers within each other', () => {
    expectRefusal(codec, specimens.nested(100_000));
  });

  it('reads shallow data of many containers', () => {
    const data = Array.from({ length: 1000 }, () => ({ list: [] }));
    expect(codec.decode(Buffer.from(codec.encode({ type: 't', data })))).toMatchObject({ data });
  });

  it('refuses more lists than a small process can hold, and takes as many as a large message has', () => {
    const lists = (count: number) =>
      Buffer.from(codec.encode({ type: 'x', data: Array.from({ length: count }, () => []) }));
    expect(() => codec.decode(lists(MAX_CONTAINERS + 1))).toThrow(EnvelopeError);
    expect((codec.decode(lists(MAX_CONTAINERS - 10)) as { data: unknown[] }).data).toHaveLength(MAX_CONTAINERS - 10);
  });

  it('refuses a key __proto__', () => {
    expectRefusal(codec, specimens.map('__proto__'));
    expectRefusal(codec, specimens.map('a', '__proto__', 'b'));
  });

  it('reads a key constructor, and values that only look like __proto__, as plain data', () => {
    const body = codec.decode(specimens.map('constructor', 'prototype', '__proto', 'a__proto__'));
    expect(body).toMatchObject({ data: { constructor: 0, prototype: 1, __proto: 2, a__proto__: 3 } });
    const text = codec.encode({ type: 't', data: ['__proto__', '"__proto__":1'] });
    expect(codec.decode(Buffer.from(text))).toMatchObject({ data: ['__proto__', '"__proto__":1'] });
    expect({}.constructor).toBe(Object);
  });

  it('lets the last of equal keys count', () => {
    expect(codec.decode(specimens.map('a', 'b', 'a'))).toEqual({
      type: 't',
      data: { a: 2, b: 1 },
    });
  });

  it('allocates by what a frame brings, not by what it declares', () => {
    const before = process.memoryUsage();
    for (const frame of specimens.huge) expectRefusal(codec, Buffer.from(frame, 'hex'));
    const after = process.memoryUsage();
    expect(after.heapUsed - before.heapUsed).toBeLessThan(50_000_000);
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(50_000_000);
  });

  it.each(Object.entries(specimens.malformed))('refuses %s', (_, hex) => {
    expectRefusal(codec, Buffer.from(hex, 'hex'));
  });

  it('takes an empty frame for no envelope, and does not fall over it', () => {
    expect(decodeSafely(codec, Buffer.alloc(0)) ?? {}).toEqual({});
  });

  it('refuses a message with a byte after it', () => {
    const frame = Buffer.from(codec.encode({ type: 't', data: 1 }));
    expectRefusal(codec, Buffer.concat([frame, Buffer.of(0)]));
  });

  it('refuses, or reads less, when cut at any byte', () => {
    const whole = Buffer.from(
      codec.encode({ type: 't', id: 'c', data: { a: [1, 'é', 2 ** 40, Buffer.of(1)], b: 0.5 } }),
    );
    for (let length = 0; length < whole.length; length++) {
      const body = decodeSafely(codec, whole.subarray(0, length));
      // Protocol Buffers has no end mark: cut between two fields, a message is a shorter message.
      if (codec.subprotocol === 'v2.proto') expect(body ?? {}).not.toHaveProperty('data');
      else expect(body).toBeUndefined();
    }
  });

  it('throws nothing but EnvelopeError for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void decodeSafely(codec, Buffer.from(bytes))),
      { numRuns: 2000 },
    );
  });

  it('throws nothing but EnvelopeError for a valid frame with bytes changed', () => {
    const change = fc.tuple(fc.nat(), fc.nat(255));
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(change, { minLength: 1, maxLength: 4 }), (data, changes) => {
        const frame = Buffer.from(codec.encode({ type: 't', id: 1, data }));
        for (const [at, byte] of changes) frame[at % frame.length] = byte;
        decodeSafely(codec, frame);
      }),
      { numRuns: 1000 },
    );
  });

  it('writes again whatever it could read, in every subprotocol', () => {
    const change = fc.tuple(fc.nat(), fc.nat(255));
    const value = fc.anything({ withBigInt: true, withDate: true, maxDepth: 4, key: fc.string() });
    fc.assert(
      fc.property(value, fc.array(change, { maxLength: 3 }), (data, changes) => {
        const frame = encodeSafely(codec, data);
        for (const [at, byte] of changes) frame[at % frame.length] = byte;
        const body = decodeSafely(codec, frame);
        for (const other of Object.values(CODECS)) other.encode({ type: 't', data: body });
      }),
      { numRuns: 1000 },
    );
  });
});

describe('codec v1.json, against escapes', () => {
  it.each([
    String.raw`__proto\u005f_`,
    String.raw`\u005F_proto__`,
    String.raw`__\u0070roto__`,
    String.raw`\u005f\u005f\u0070\u0072\u006f\u0074\u006F\u005f\u005f`,
  ])('refuses the key %s', (key) => {
    expectRefusal(CODECS['v1.json'], SPECIMENS['v1.json'].map(key));
  });

  it('does not count brackets within strings as depth', () => {
    const data = '["\\'.repeat(500);
    expect(CODECS['v1.json'].decode(Buffer.from(JSON.stringify({ type: 't', data })))).toEqual({ type: 't', data });
  });
});

function expectRefusal(codec: Codec, bytes: Buffer): void {
  let thrown: unknown;
  try {
    codec.decode(bytes);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(EnvelopeError);
  expect(thrown).toMatchObject({ code: 'INVALID_MESSAGE_FORMAT', message: 'Invalid message format' });
}

/** What was read, or undefined where it was refused as it should be. */
function decodeSafely(codec: Codec, bytes: Buffer): unknown {
  try {
    return codec.decode(bytes);
  } catch (error) {
    if (error instanceof EnvelopeError) return undefined;
    throw error;
  }
}

/** A frame to start from; values that may not be sent give an empty one. */
function encodeSafely(codec: Codec, data: unknown): Buffer {
  try {
    return Buffer.from(codec.encode({ type: 't', data }));
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return Buffer.from(codec.encode({ type: 't' }));
    throw error;
  }
}
