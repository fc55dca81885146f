const MAX_DEPTH = 128;
const TIMESTAMP = 0xff;

/** Values as JSON has them, and bytes, `bigint` and `Date`. What JSON leaves out of objects is left out here, too. */
export function encode(value: unknown): Uint8Array {
  const writer = new Writer();
  writer.write(value, 0);
  return writer.taken();
}

class Writer {
  private _bytes = new Uint8Array(256);
  private _view = new DataView(this._bytes.buffer);
  private _length = 0;

  write(value: unknown, depth: number): void {
    if (depth > MAX_DEPTH) throw new RangeError('too deep');
    if (value == null || typeof value === 'function' || typeof value === 'symbol') this._byte(0xc0);
    else if (typeof value === 'boolean') this._byte(value ? 0xc3 : 0xc2);
    else if (typeof value === 'number') this._number(value);
    else if (typeof value === 'bigint') this._integer64(value);
    else if (typeof value === 'string') this._string(value);
    else if (value instanceof Uint8Array) this._binary(value);
    else if (value instanceof Date) this._date(value);
    else if (Array.isArray(value)) this._array(value, depth);
    else this._map(value as Record<string, unknown>, depth);
  }

  taken(): Uint8Array {
    return this._bytes.slice(0, this._length);
  }

  private _number(value: number): void {
    if (!Number.isFinite(value)) return this._byte(0xc0);
    if (!Number.isInteger(value) || Object.is(value, -0)) {
      this._byte(0xcb);
      return this._put(8, (view, at) => view.setFloat64(at, value));
    }
    if (value >= 0 && value < 128) return this._byte(value);
    if (value < 0 && value >= -32) return this._byte(value + 256);
    if (value >= -(2 ** 31) && value < 2 ** 31) {
      this._byte(0xd2);
      return this._put(4, (view, at) => view.setInt32(at, value));
    }
    if (Number.isSafeInteger(value)) return this._integer64(BigInt(value));
    this._byte(0xcb);
    this._put(8, (view, at) => view.setFloat64(at, value));
  }

  private _integer64(value: bigint): void {
    if (value < -(2n ** 63n) || value >= 2n ** 64n) throw new RangeError('an integer of more than 64 bits');
    this._byte(value >= 2n ** 63n ? 0xcf : 0xd3);
    this._put(8, (view, at) => view.setBigUint64(at, BigInt.asUintN(64, value)));
  }

  private _string(text: string): void {
    const utf8 = new TextEncoder().encode(text);
    this._head(utf8.length, { fix: [0xa0, 32], codes: [0xd9, 0xda, 0xdb] });
    this._append(utf8);
  }

  private _binary(bytes: Uint8Array): void {
    this._head(bytes.length, { codes: [0xc4, 0xc5, 0xc6] });
    this._append(bytes);
  }

  private _date(date: Date): void {
    const ms = date.getTime();
    if (Number.isNaN(ms)) return this._byte(0xc0);
    const seconds = Math.floor(ms / 1_000);
    for (const byte of [0xc7, 12, TIMESTAMP]) this._byte(byte);
    this._put(4, (view, at) => view.setUint32(at, (ms - seconds * 1_000) * 1_000_000));
    this._put(8, (view, at) => view.setBigInt64(at, BigInt(seconds)));
  }

  private _array(values: readonly unknown[], depth: number): void {
    this._head(values.length, { fix: [0x90, 16], codes: [undefined, 0xdc, 0xdd] });
    for (const value of values) this.write(value, depth + 1);
  }

  private _map(object: Record<string, unknown>, depth: number): void {
    const entries = Object.entries(object).filter(([, value]) => value !== undefined && typeof value !== 'function');
    this._head(entries.length, { fix: [0x80, 16], codes: [undefined, 0xde, 0xdf] });
    for (const [key, value] of entries) {
      this._string(key);
      this.write(value, depth + 1);
    }
  }

  private _head(length: number, { fix, codes }: { fix?: [number, number]; codes: (number | undefined)[] }): void {
    const [one, two, four] = codes;
    if (fix !== undefined && length < fix[1]) return this._byte(fix[0] + length);
    if (one !== undefined && length < 2 ** 8) {
      this._byte(one);
      return this._byte(length);
    }
    if (two !== undefined && length < 2 ** 16) {
      this._byte(two);
      return this._put(2, (view, at) => view.setUint16(at, length));
    }
    this._byte(four ?? 0);
    this._put(4, (view, at) => view.setUint32(at, length));
  }

  private _byte(byte: number): void {
    this._put(1, (view, at) => view.setUint8(at, byte));
  }

  private _append(bytes: Uint8Array): void {
    const at = this._room(bytes.length);
    this._bytes.set(bytes, at);
  }

  private _put(count: number, write: (view: DataView, at: number) => void): void {
    const at = this._room(count);
    write(this._view, at);
  }

  /** Makes room for some bytes, and returns where they begin. */
  private _room(count: number): number {
    const at = this._length;
    this._length += count;
    if (this._length > this._bytes.length) {
      const larger = new Uint8Array(Math.max(this._length, 2 * this._bytes.length));
      larger.set(this._bytes);
      this._bytes = larger;
      this._view = new DataView(larger.buffer);
    }
    return at;
  }
}
