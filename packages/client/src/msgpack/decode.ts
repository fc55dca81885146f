const MAX_DEPTH = 256;
const TIMESTAMP = -1;

/** @throws RangeError or TypeError when the bytes are no MessagePack, or not all of them are read */
export function decode(bytes: Uint8Array): unknown {
  const reader = new Reader(bytes);
  const value = reader.read(0);
  if (!reader.isAtEnd) throw new RangeError('goes on too long');
  return value;
}

class Reader {
  private _at = 0;
  private readonly _view: DataView;

  constructor(private readonly _bytes: Uint8Array) {
    this._view = new DataView(_bytes.buffer, _bytes.byteOffset, _bytes.length);
  }

  get isAtEnd(): boolean {
    return this._at === this._bytes.length;
  }

  read(depth: number): unknown {
    if (depth > MAX_DEPTH) throw new RangeError('too deep');
    const code = this._uint(1);
    if (code < 0x80) return code;
    if (code < 0x90) return this._map(code & 0x0f, depth);
    if (code < 0xa0) return this._array(code & 0x0f, depth);
    if (code < 0xc0) return this._string(code & 0x1f);
    if (code >= 0xe0) return code - 256;
    return this._rest(code, depth);
  }

  private _rest(code: number, depth: number): unknown {
    switch (code) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xca:
        return this._view.getFloat32(this._step(4));
      case 0xcb:
        return this._view.getFloat64(this._step(8));
      case 0xcf:
        return narrowed(this._view.getBigUint64(this._step(8)));
      case 0xd3:
        return narrowed(this._view.getBigInt64(this._step(8)));
      case 0xd0:
        return this._view.getInt8(this._step(1));
      case 0xd1:
        return this._view.getInt16(this._step(2));
      case 0xd2:
        return this._view.getInt32(this._step(4));
      default:
        return this._sized(code, depth);
    }
  }

  private _sized(code: number, depth: number): unknown {
    if (code >= 0xc4 && code <= 0xc6) return this._slice(this._uint(2 ** (code - 0xc4))).slice();
    if (code >= 0xc7 && code <= 0xc9) return this._extension(this._uint(2 ** (code - 0xc7)));
    if (code >= 0xcc && code <= 0xce) return this._uint(2 ** (code - 0xcc));
    if (code >= 0xd4 && code <= 0xd8) return this._extension(2 ** (code - 0xd4));
    if (code >= 0xd9 && code <= 0xdb) return this._string(this._uint(2 ** (code - 0xd9)));
    if (code === 0xdc || code === 0xdd) return this._array(this._uint(2 ** (code - 0xdb)), depth);
    if (code === 0xde || code === 0xdf) return this._map(this._uint(2 ** (code - 0xdd)), depth);
    throw new TypeError('not MessagePack');
  }

  private _array(length: number, depth: number): unknown[] {
    this._demand(length);
    return Array.from({ length }, () => this.read(depth + 1));
  }

  private _map(length: number, depth: number): Record<string, unknown> {
    this._demand(2 * length);
    const entries = Array.from({ length }, (): [string, unknown] => [
      String(this.read(depth + 1)),
      this.read(depth + 1),
    ]);
    return Object.fromEntries(entries);
  }

  private _string(length: number): string {
    return new TextDecoder().decode(this._slice(length));
  }

  private _extension(length: number): unknown {
    const type = this._view.getInt8(this._step(1));
    const at = this._step(length);
    if (type !== TIMESTAMP) return this._bytes.slice(at, at + length);
    if (length === 4) return new Date(this._view.getUint32(at) * 1_000);
    const packed = length === 8 ? this._view.getBigUint64(at) : 0n;
    const nanoseconds = length === 8 ? Number(packed >> 34n) : this._view.getUint32(at);
    const seconds = length === 8 ? Number(packed & 0x3ffffffffn) : Number(this._view.getBigInt64(at + 4));
    return new Date(seconds * 1_000 + nanoseconds / 1_000_000);
  }

  private _uint(size: number): number {
    const at = this._step(size);
    if (size === 1) return this._view.getUint8(at);
    return size === 2 ? this._view.getUint16(at) : this._view.getUint32(at);
  }

  private _slice(length: number): Uint8Array {
    const at = this._step(length);
    return this._bytes.subarray(at, at + length);
  }

  private _step(count: number): number {
    this._demand(count);
    const { _at: at } = this;
    this._at += count;
    return at;
  }

  /** No memory is taken for a length that the frame cannot hold. */
  private _demand(count: number): void {
    if (this._at + count > this._bytes.length) throw new RangeError('ends too early');
  }
}

function narrowed(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
