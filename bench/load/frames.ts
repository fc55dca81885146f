/** The few bytes of RFC 6455 §5 that a load needs, cheap enough not to become what is measured. */
export const opcodes = { text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const;

const maskingKey = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

/** A masked frame as a client must send it; made once, sent many times. */
export function clientFrame(body: string | Uint8Array, opcode: number = opcodes.text): Buffer {
  const payload = Buffer.from(body);
  payload.forEach((byte, index) => (payload[index] = byte ^ (maskingKey[index & 3] ?? 0)));
  return Buffer.concat([frameHead(opcode, payload.length), maskingKey, payload]);
}

function frameHead(opcode: number, length: number): Buffer {
  const first = 0x80 | opcode;
  if (length < 126) return Buffer.from([first, 0x80 | length]);
  const long = length > 0xffff;
  const head = Buffer.alloc(long ? 10 : 4);
  head.writeUInt16BE((first << 8) | 0x80 | (long ? 127 : 126));
  if (long) head.writeUInt32BE(length, 6);
  else head.writeUInt16BE(length, 2);
  return head;
}

export interface FrameListener {
  /** Control frames always; data frames while `keepBodies` is on. */
  onFrame(opcode: number, body: Buffer): void;
  /** A message of one character, when the dialect has its heartbeat there. */
  onHeartbeat(): void;
}

/** Counts messages without looking into them; only frames that somebody must see are put together. */
export class FrameCounter {
  /** While on, data frames are handed to the listener and not counted. */
  keepBodies = true;
  /** Length of every counted message, once the caller knows it; any other one is an `oddMessages`. */
  expectedLength = 0;
  oddMessages = 0;
  private unread = 0;
  private endsMessage = false;
  private rest: Buffer | null = null;

  constructor(
    private readonly listener: FrameListener,
    private readonly heartbeatIsMessage: boolean,
  ) {}

  /** Returns how many messages ended in this chunk. The chunk may be reused by the caller afterwards. */
  read(arrived: Buffer): number {
    const chunk = this.rest ? Buffer.concat([this.rest, arrived]) : arrived;
    this.rest = null;
    let messages = 0;
    let at = 0;
    while (at < chunk.length) {
      if (this.unread > 0) {
        const taken = Math.min(this.unread, chunk.length - at);
        this.unread -= taken;
        at += taken;
        if (this.unread === 0 && this.endsMessage) messages += 1;
        continue;
      }
      const next = this.readHead(chunk, at);
      if (next < 0) {
        this.rest = Buffer.from(chunk.subarray(at));
        break;
      }
      at = next;
      if (this.unread === 0 && this.endsMessage) messages += 1;
    }
    return messages;
  }

  /** Returns where to go on, or -1 when the chunk ends too early. */
  private readHead(chunk: Buffer, at: number): number {
    const body = bodyStart(chunk, at);
    if (body < 0) return -1;
    const first = chunk[at] ?? 0;
    const length = bodyLength(chunk, at);
    this.endsMessage = false;
    if (this.keepBodies || (first & 0x08) !== 0) {
      if (body + length > chunk.length) return -1;
      this.listener.onFrame(first & 0x0f, Buffer.from(chunk.subarray(body, body + length)));
      return body + length;
    }
    if (this.heartbeatIsMessage && length === 1) {
      if (body + 1 > chunk.length) return -1;
      this.listener.onHeartbeat();
      return body + 1;
    }
    this.endsMessage = (first & 0x80) !== 0;
    if (this.expectedLength > 0 && length !== this.expectedLength) this.oddMessages += 1;
    this.unread = length;
    return body;
  }
}

/** Where the body starts, or -1 when the head is not complete. Servers do not mask. */
function bodyStart(chunk: Buffer, at: number): number {
  if (at + 2 > chunk.length) return -1;
  const short = (chunk[at + 1] ?? 0) & 0x7f;
  const start = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
  return start > chunk.length ? -1 : start;
}

function bodyLength(chunk: Buffer, at: number): number {
  const short = (chunk[at + 1] ?? 0) & 0x7f;
  if (short < 126) return short;
  return short === 126 ? chunk.readUInt16BE(at + 2) : chunk.readUInt32BE(at + 6);
}
