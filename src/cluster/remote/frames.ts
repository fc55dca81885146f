import { escaped, pack, packIfFaithful, unescaped, unpack } from '../ports/faithful-pack.js';

/** Length of the body (4 bytes, little endian), then 1 if the texts of the body are escaped, otherwise 0. */
const HEAD_BYTES = 5;
const LENGTH_BYTES = 4;
/** More than any message: a history is read in slices. Beyond it, the stream is not ours. */
const MAX_BODY_BYTES = 268_435_456;

/** A message on the stream between a worker and the primary: its length, then MessagePack. */
export function encodeFrame(message: unknown): Buffer {
  const faithful = packIfFaithful(message);
  const body = faithful ?? pack(escaped(message));
  const frame = Buffer.allocUnsafe(HEAD_BYTES + body.length);
  frame.writeUInt32LE(body.length);
  frame[LENGTH_BYTES] = faithful === undefined ? 1 : 0;
  frame.set(body, HEAD_BYTES);
  return frame;
}

/** Cuts a stream into messages. */
export class FrameReader {
  /** Chunks of a frame that is not complete. */
  private waiting: Buffer[] = [];
  private waitingBytes = 0;
  /** Bytes that the first frame needs, as far as that is known. */
  private needed = HEAD_BYTES;

  constructor(private readonly read: (message: unknown) => void) {}

  /** @throws Error if the bytes are not frames */
  push(chunk: Buffer): void {
    this.waiting.push(chunk);
    this.waitingBytes += chunk.length;
    if (this.waitingBytes < this.needed) return;
    const bytes = this.waiting.length === 1 ? chunk : Buffer.concat(this.waiting, this.waitingBytes);
    const rest = bytes.subarray(this.readFrames(bytes));
    this.waiting = rest.length > 0 ? [rest] : [];
    this.waitingBytes = rest.length;
  }

  /** Returns the number of bytes that were read. */
  private readFrames(bytes: Buffer): number {
    let at = 0;
    this.needed = HEAD_BYTES;
    while (bytes.length - at >= HEAD_BYTES) {
      const length = bytes.readUInt32LE(at);
      if (length > MAX_BODY_BYTES) throw new Error(`A frame of ${length} bytes`);
      const end = at + HEAD_BYTES + length;
      if (end > bytes.length) {
        this.needed = HEAD_BYTES + length;
        break;
      }
      const message = unpack(bytes.subarray(at + HEAD_BYTES, end));
      const isEscaped = bytes[at + LENGTH_BYTES] === 1;
      at = end;
      this.read(isEscaped ? unescaped(message) : message);
    }
    return at;
  }
}
