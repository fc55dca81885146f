const MAX_REASON_BYTES = 123;
/** RFC 6455 §7.4.1: never on the wire. */
const RESERVED_CODES = new Set([1004, 1005, 1006]);

/** @throws RangeError for a code or a reason that a close frame must not have (RFC 6455 §5.5, §7.4) */
export function refuseUnsendableClose(code: number | undefined, reason: string | Buffer = ''): void {
  const isSendable =
    code === undefined || (code >= 1000 && code <= 1014 && !RESERVED_CODES.has(code)) || isOwnCode(code);
  if (!isSendable) throw new RangeError('Invalid close code');
  if (Buffer.byteLength(reason) > MAX_REASON_BYTES)
    throw new RangeError('A close reason must not be longer than 123 bytes');
}

function isOwnCode(code: number): boolean {
  return code >= 3000 && code <= 4999;
}
