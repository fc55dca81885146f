import { describe, expect, it } from 'vitest';
import { closeFrame, frame, OPCODE, PING_FRAME } from '../../../src/socket/frame.js';

function header(bytes: Buffer, length: number): string {
  return bytes.subarray(0, length).toString('hex');
}

describe('a frame', () => {
  it.each([
    [0, '8200'],
    [1, '8201'],
    [125, '827d'],
    [126, '827e007e'],
    [65_535, '827effff'],
    [65_536, '827f0000000000010000'],
    [16_777_216, '827f0000000001000000'],
  ])('of %i payload bytes begins with %s', (length, expected) => {
    const payload = Buffer.alloc(length, 0xab);
    const bytes = frame(OPCODE.binary, payload);
    expect(header(bytes, expected.length / 2)).toBe(expected);
    expect(bytes.length).toBe(expected.length / 2 + length);
    expect(bytes.subarray(expected.length / 2).equals(payload)).toBe(true);
  });

  it('counts text in bytes of UTF-8, not in characters', () => {
    expect(frame(OPCODE.text, 'é€😀').toString('hex')).toBe('8109c3a9e282acf09f9880');
    expect(header(frame(OPCODE.text, 'é'.repeat(63)), 4)).toBe('817e007e');
    expect(header(frame(OPCODE.text, '€'.repeat(21_845)), 4)).toBe('817effff');
  });

  it('writes a lone surrogate as the replacement character, as UTF-8 has none', () => {
    expect(frame(OPCODE.text, '\ud800').toString('hex')).toBe('8103efbfbd');
  });

  it('takes exactly the bytes of a view', () => {
    const whole = Uint8Array.of(1, 2, 3, 4, 5);
    expect(frame(OPCODE.binary, whole.subarray(1, 4)).toString('hex')).toBe('8203020304');
  });

  it('is the same two bytes for every ping', () => {
    expect(PING_FRAME.toString('hex')).toBe('8900');
  });
});

describe('a close frame', () => {
  it('holds the code and the reason', () => {
    expect(closeFrame(1012, '5000').toString('hex')).toBe('880603f435303030');
    expect(closeFrame(4401, '').toString('hex')).toBe('88021131');
  });
});
