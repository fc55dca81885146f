const MAX_DEPTH = 256;
const TIMESTAMP = -1;

/** @throws RangeError or TypeError when the bytes are no MessagePack, or not all of them are read */
export function decode(bytes: Uint8Array): unknown {
  const reader = new Reader(bytes);
  const value = reader.read(0);
  if (!reader.isAtEnd) throw new RangeError('bytes behind the message');
  return value;
}

class Reader {
  private at = 0;
  private readonly view: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get isAtEnd(): boolean {
    return this.at === this.bytes.length;
  }

  read(depth: number): unknown {
    if (depth > MAX_DEPTH) throw new RangeError('too deep');
    const code = this.uint(1);
    if (code < 0x80) return code;
    if (code < 0x90) return this.map(code & 0x0f, depth);
    if (code < 0xa0) return this.array(code & 0x0f, depth);
    if (code < 0xc0) return this.string(code & 0x1f);
    if (code >= 0xe0) return code - 256;
    return this.rest(code, depth);
  }

  private rest(code: number, depth: number): unknown {
    switch (code) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xca:
        return this.view.getFloat32(this.step(4));
      case 0xcb:
        return this.view.getFloat64(this.step(8));
      case 0xcf:
        return narrowed(this.view.getBigUint64(this.step(8)));
      case 0xd3:
        return narrowed(this.view.getBigInt64(this.step(8)));
      case 0xd0:
        return this.view.getInt8(this.step(1));
      case 0xd1:
        return this.view.getInt16(this.step(2));
      case 0xd2:
        return this.view.getInt32(this.step(4));
      default:
        return this.sized(code, depth);
    }
  }

  private sized(code: number, depth: number): unknown {
    if (code >= 0xc4 && code <= 0xc6) return this.slice(this.uint(2 ** (code - 0xc4))).slice();
    if (code >= 0xc7 && code <= 0xc9) return this.extension(this.uint(2 ** (code - 0xc7)));
    if (code >= 0xcc && code <= 0xce) return this.uint(2 ** (code - 0xcc));
    if (code >= 0xd4 && code <= 0xd8) return this.extension(2 ** (code - 0xd4));
    if (code >= 0xd9 && code <= 0xdb) return this.string(this.uint(2 ** (code - 0xd9)));
    if (code === 0xdc || code === 0xdd) return this.array(this.uint(2 ** (code - 0xdb)), depth);
    if (code === 0xde || code === 0xdf) return this.map(this.uint(2 ** (code - 0xdd)), depth);
    throw new TypeError('not MessagePack');
  }

  private array(length: number, depth: number): unknown[] {
    this.demand(length);
    return Array.from({ length }, () => this.read(depth + 1));
  }

  private map(length: number, depth: number): Record<string, unknown> {
    this.demand(2 * length);
    const entries = Array.from({ length }, (): [string, unknown] => [
      String(this.read(depth + 1)),
      this.read(depth + 1),
    ]);
    return Object.fromEntries(entries);
  }

  private string(length: number): string {
    return new TextDecoder().decode(this.slice(length));
  }

  private extension(length: number): unknown {
    const type = this.view.getInt8(this.step(1));
    const at = this.step(length);
    if (type !== TIMESTAMP) return this.bytes.slice(at, at + length);
    if (length === 4) return new Date(this.view.getUint32(at) * 1_000);
    const packed = length === 8 ? this.view.getBigUint64(at) : 0n;
    const nanoseconds = length === 8 ? Number(packed >> 34n) : this.view.getUint32(at);
    const seconds = length === 8 ? Number(packed & 0x3ffffffffn) : Number(this.view.getBigInt64(at + 4));
    return new Date(seconds * 1_000 + nanoseconds / 1_000_000);
  }

  private uint(size: number): number {
    const at = this.step(size);
    if (size === 1) return this.view.getUint8(at);
    return size === 2 ? this.view.getUint16(at) : this.view.getUint32(at);
  }

  private slice(length: number): Uint8Array {
    const at = this.step(length);
    return this.bytes.subarray(at, at + length);
  }

  private step(count: number): number {
    this.demand(count);
    const { at } = this;
    this.at += count;
    return at;
  }

  /** No memory is taken for a length that the frame cannot hold. */
  private demand(count: number): void {
    if (this.at + count > this.bytes.length) throw new RangeError('a message that ends too early');
  }
}

function narrowed(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
