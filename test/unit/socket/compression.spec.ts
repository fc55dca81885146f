import { randomBytes } from 'node:crypto';
import { constants, inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Compression } from '../../../src/socket/compression.js';
import { frame, OPCODE } from '../../../src/socket/frame.js';
import { ListsOfTurn } from '../../../src/socket/lists-of-turn.js';

const compression = (maxProcessorPercent = 0): Compression =>
  new Compression({ messagesFromBytes: 512, listsFromBytes: 512, maxProcessorPercent });

/** Like the list of a tick: similar messages with other numbers. */
const messages = (count: number): string =>
  JSON.stringify(
    Array.from({ length: count }, (_, n) => ({ type: 'message', channel: 'fleet:city', seq: n, x: n * 7 })),
  );
const noise = (length: number): Buffer => randomBytes(length);
const isCompressed = (bytes: Buffer): boolean => ((bytes[0] ?? 0) & 0x40) !== 0;

/** As a client does it: the header is cut off, and the end of the flush put back (RFC 7692 §7.2.2). */
function inflated(bytes: Buffer): string {
  const short = bytes[1] ?? 0;
  const header = short < 126 ? 2 : short === 126 ? 4 : 10;
  const deflated = Buffer.concat([bytes.subarray(header), Buffer.from('0000ffff', 'hex')]);
  return inflateRawSync(deflated, { finishFlush: constants.Z_SYNC_FLUSH }).toString();
}

describe('a frame that is long enough', () => {
  it.each([8, 30, 100, 1_000, 5_000])('of %i similar messages is compressed, and reads as before', (count) => {
    const compressing = compression();
    const payload = messages(count);
    const bytes = compressing.frame(OPCODE.text, payload);
    expect(isCompressed(bytes)).toBe(true);
    expect(inflated(bytes)).toBe(payload);
    expect(bytes.length).toBeLessThan(payload.length / 2.5);
    expect(compressing.frames).toEqual({ compressed: 1, incompressible: 0, busy: 0 });
    expect(compressing.bytes.before).toBe(payload.length);
    expect(compressing.bytes.after).toBeLessThan(payload.length / 2.5);
  });

  it('is compressed with the characters of every language', () => {
    const payload = JSON.stringify(Array.from({ length: 100 }, () => 'Grüße, 世界 😀'));
    expect(inflated(compression().frame(OPCODE.text, payload))).toBe(payload);
  });

  it.each([600, 3_000, 100_000])('of %i random bytes leaves as it is, and is counted', (length) => {
    const compressing = compression();
    const payload = noise(length);
    for (let n = 0; n < 3; n += 1) {
      expect(compressing.frame(OPCODE.binary, payload).equals(frame(OPCODE.binary, payload))).toBe(true);
    }
    expect(compressing.frames).toEqual({ compressed: 0, incompressible: 3, busy: 0 });
    expect(compressing.bytes).toEqual({ before: 0, after: 0 });
  });

  it('is judged by a sample after one that did not shrink', () => {
    const compressing = compression();
    compressing.frame(OPCODE.binary, noise(8_192));
    const hidden = Buffer.concat([Buffer.alloc(8_192, 'x'), noise(2_048), Buffer.alloc(8_192, 'x')]);
    // Its middle is noise, so the sample says no, although the whole would shrink.
    expect(isCompressed(compressing.frame(OPCODE.binary, hidden))).toBe(false);
    for (let n = 0; n < 64; n += 1) expect(isCompressed(compressing.frame(OPCODE.text, messages(100)))).toBe(true);
    // Everything shrinks again, so whole frames are tried.
    expect(isCompressed(compressing.frame(OPCODE.binary, hidden))).toBe(true);
  });

  it('leaves as it is while the process is busy, until it is calm again', () => {
    const compressing = compression(75);
    const outcomes = [0.7, 0.8, 0.7, 0.61, 0.59, 0.7].map((share) => {
      compressing.observeProcessor(share);
      return isCompressed(compressing.frame(OPCODE.text, messages(100)));
    });
    expect(outcomes).toEqual([true, false, false, false, true, true]);
    expect(compressing.frames).toEqual({ compressed: 3, incompressible: 0, busy: 3 });
  });

  it('is compressed whatever the processor does, if there is no limit', () => {
    const compressing = compression(0);
    compressing.observeProcessor(4);
    expect(isCompressed(compressing.frame(OPCODE.text, messages(100)))).toBe(true);
  });
});

describe('the lists of a turn', () => {
  const texts = (count: number, of = 'x'): Buffer[] =>
    Array.from({ length: count }, (_, n) => frame(OPCODE.text, `{"type":"${of}","n":${n}}`));

  it('are made and compressed once for sockets that send the same, in whatever order the sockets come', () => {
    const lists = new ListsOfTurn();
    const compressing = compression();
    const [all, some] = [texts(60), texts(60, 'y')];
    const first = all[0] as Buffer;
    const others = [first, ...some];
    const made = [all, others, [...all], [...others], all].map((frames) => lists.of(frames, compressing));
    expect(made[2]).toBe(made[0]);
    expect(made[4]).toBe(made[0]);
    expect(made[3]).toBe(made[1]);
    expect(made[1]).not.toBe(made[0]);
    expect(compressing.frames.compressed).toBe(2);
  });

  it('are plain for a socket that takes nothing compressed, beside one that does', () => {
    const lists = new ListsOfTurn();
    const frames = texts(60);
    const compressing = compression();
    const compressed = lists.of(frames, compressing);
    const plain = lists.of(frames, undefined);
    expect([compressed, plain].map(([list]) => isCompressed(list as Buffer))).toEqual([true, false]);
    expect([lists.of(frames, compressing), lists.of(frames, undefined)]).toEqual([compressed, plain]);
    expect(compressing.frames.compressed).toBe(1);
  });

  it('are compressed from the length of the setting on', () => {
    const lists = new ListsOfTurn();
    const compressing = compression();
    expect(lists.of(texts(3), compressing).map(isCompressed)).toEqual([false]);
    expect(compressing.frames).toEqual({ compressed: 0, incompressible: 0, busy: 0 });
  });

  it('hold a bounded number, whatever is never forgotten', () => {
    const lists = new ListsOfTurn();
    for (let n = 0; n < 5_000; n += 1) lists.of(texts(1), undefined);
    const kept = (Reflect.get(lists, 'byFirst') as Map<unknown, unknown>).size;
    expect(kept).toBeLessThanOrEqual(1_024);
    lists.clear();
    expect((Reflect.get(lists, 'byFirst') as Map<unknown, unknown>).size).toBe(0);
  });
});
