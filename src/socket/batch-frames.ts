import type { Compression } from './compression.js';
import { frame, OPCODE } from './frame.js';

/** Messages in one frame, and about the most bytes of them. A longer message has a frame for itself. */
export const MAX_BATCH = 64;
const MAX_BATCH_BYTES = 65_536;

const OPEN = Buffer.from('[');
const COMMA = Buffer.from(',');
const CLOSE = Buffer.from(']');

/**
 * Joins messages in a row into frames of JSON lists. Frames of control, and those that are no plain text, stay as and
 * where they are.
 *
 * @param compression undefined: nothing is compressed
 */
export function batchFrames(frames: readonly Buffer[], compression: Compression | undefined): Buffer[] {
  const joined: Buffer[] = [];
  let parts: Buffer[] = [];
  let bytes = 0;
  const close = (): void => {
    if (parts.length > 0) joined.push(listOf(parts, compression));
    parts = [];
    bytes = 0;
  };
  for (const one of frames) {
    // A place for a receipt, without bytes.
    if (one.length === 0) continue;
    if (one[0] !== OPCODE.text) {
      close();
      joined.push(one);
      continue;
    }
    if (parts.length >= MAX_BATCH || bytes + one.length > MAX_BATCH_BYTES) close();
    parts.push(payloadOf(one));
    bytes += one.length;
  }
  close();
  return joined;
}

function listOf(parts: readonly Buffer[], compression: Compression | undefined): Buffer {
  const pieces = parts.flatMap((part, index) => [index === 0 ? OPEN : COMMA, part]);
  const list = Buffer.concat([...pieces, CLOSE]);
  const { listsFromBytes = 0 } = compression?.limits ?? {};
  const isLong = listsFromBytes > 0 && list.length >= listsFromBytes;
  return compression !== undefined && isLong ? compression.frame(OPCODE.text, list) : frame(OPCODE.text, list);
}

/** Of a frame that `frame` built. */
function payloadOf(bytes: Buffer): Buffer {
  const length = bytes[1] ?? 0;
  return bytes.subarray(length < 126 ? 2 : length === 126 ? 4 : 10);
}
