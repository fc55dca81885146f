import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameReader } from '../../../../src/cluster/remote/frames.js';

const MESSAGES = [
  [0, 1, 'publish', ['room:1', Buffer.from([0, 255]), undefined, null]],
  ['\u{feff}starts with a byte order mark', `${'a'.repeat(70)}\u{feff}`],
  [JSON.parse('{ "__proto__": 1, "constructor": 2, "toJSON": 3 }'), 2n ** 63n, -1.5],
  ['x'.repeat(100_000)],
  [],
];

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: [...value] };
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.entries(value).map(([key, field]) => [key, plain(field)]);
}

describe('frames between a worker and the primary', () => {
  const stream = Buffer.concat(MESSAGES.map(encodeFrame));

  it.each([1, 3, 5, 64, 4_096, stream.length])('are read whole, whatever comes together: %d bytes', (size) => {
    const read: unknown[] = [];
    const reader = new FrameReader((message) => read.push(message));
    for (let at = 0; at < stream.length; at += size) reader.push(stream.subarray(at, at + size));
    expect(read.map(plain)).toEqual(MESSAGES.map(plain));
  });

  it('carry half of a surrogate pair as the replacement character, as UTF-8 does', () => {
    const read: unknown[] = [];
    new FrameReader((message) => read.push(message)).push(encodeFrame(['a\u{d800}b']));
    expect(read).toEqual([['a\u{fffd}b']]);
  });

  it('refuse a length that no message has', () => {
    const reader = new FrameReader(() => expect.unreachable());
    expect(() => reader.push(Buffer.alloc(64, 0xff))).toThrow(/A frame of \d+ bytes/);
  });
});
