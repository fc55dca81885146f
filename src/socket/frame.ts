/** RFC 6455 §5.2 opcodes with FIN set: a server sends whole messages only. */
export const OPCODE = { text: 0x81, binary: 0x82, close: 0x88, ping: 0x89, pong: 0x8a } as const;
export type Opcode = (typeof OPCODE)[keyof typeof OPCODE];

/**
 * One unmasked frame, header and payload in one buffer. Built once for a publication; every subscriber of a codec gets
 * the same bytes.
 */
export function frame(opcode: Opcode, payload: string | Uint8Array): Buffer {
  const isText = typeof payload === 'string';
  const length = isText ? Buffer.byteLength(payload) : payload.length;
  const headerLength = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const bytes = Buffer.allocUnsafe(headerLength + length);

  bytes[0] = opcode;
  if (headerLength === 2) {
    bytes[1] = length;
  } else if (headerLength === 4) {
    bytes[1] = 126;
    bytes.writeUInt16BE(length, 2);
  } else {
    bytes[1] = 127;
    bytes.writeUIntBE(0, 2, 2);
    bytes.writeUIntBE(length, 4, 6);
  }

  if (isText) bytes.write(payload, headerLength);
  else bytes.set(payload, headerLength);
  return bytes;
}

const MAX_REASON_BYTES = 123;
/** RFC 6455 §7.4.1: never on the wire. */
const RESERVED_CODES = new Set([1004, 1005, 1006]);

/** @throws RangeError for a code or a reason that a close frame must not have (RFC 6455 §5.5, §7.4) */
export function refuseUnsendableClose(code: number | undefined, reason: string | Buffer = ''): void {
  const isOfProtocol = code === undefined || (code >= 1000 && code <= 1014 && !RESERVED_CODES.has(code));
  const isOfApplication = code !== undefined && code >= 3000 && code <= 4999;
  if (!isOfProtocol && !isOfApplication) throw new RangeError('Invalid close code');
  if (Buffer.byteLength(reason) > MAX_REASON_BYTES)
    throw new RangeError('A close reason must not be longer than 123 bytes');
}

/** A close frame; `reason` is at most 123 bytes of UTF-8. */
export function closeFrame(code: number, reason: string): Buffer {
  const payload = Buffer.allocUnsafe(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code, 0);
  payload.write(reason, 2);
  return frame(OPCODE.close, payload);
}

/** Every connection is pinged with the same bytes. */
export const PING_FRAME = frame(OPCODE.ping, '');

/** The argument of `send` of `ws`, which takes anything. */
export function payloadOf(data: unknown): string | Uint8Array {
  if (typeof data === 'string' || data instanceof Uint8Array) return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return String(data);
}
