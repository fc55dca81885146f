const MAX_DEPTH = 128;
const TIMESTAMP = 0xff;

/** Values as JSON has them, and bytes, `bigint` and `Date`. What JSON leaves out of objects is left out here, too. */
export function encode(value: unknown): Uint8Array {
  const writer = new Writer();
  writer.write(value, 0);
  return writer.taken();
}

class Writer {
  private bytes = new Uint8Array(256);
  private view = new DataView(this.bytes.buffer);
  private length = 0;

  write(value: unknown, depth: number): void {
    if (depth > MAX_DEPTH) throw new RangeError('too deep');
    if (value == null || typeof value === 'function' || typeof value === 'symbol') this.byte(0xc0);
    else if (typeof value === 'boolean') this.byte(value ? 0xc3 : 0xc2);
    else if (typeof value === 'number') this.number(value);
    else if (typeof value === 'bigint') this.integer64(value);
    else if (typeof value === 'string') this.string(value);
    else if (value instanceof Uint8Array) this.binary(value);
    else if (value instanceof Date) this.date(value);
    else if (Array.isArray(value)) this.array(value, depth);
    else this.map(value as Record<string, unknown>, depth);
  }

  taken(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  private number(value: number): void {
    if (!Number.isFinite(value)) return this.byte(0xc0);
    if (!Number.isInteger(value) || Object.is(value, -0)) {
      this.byte(0xcb);
      return this.put(8, (view, at) => view.setFloat64(at, value));
    }
    if (value >= 0 && value < 128) return this.byte(value);
    if (value < 0 && value >= -32) return this.byte(value + 256);
    if (value >= -(2 ** 31) && value < 2 ** 31) {
      this.byte(0xd2);
      return this.put(4, (view, at) => view.setInt32(at, value));
    }
    if (Number.isSafeInteger(value)) return this.integer64(BigInt(value));
    this.byte(0xcb);
    this.put(8, (view, at) => view.setFloat64(at, value));
  }

  private integer64(value: bigint): void {
    if (value < -(2n ** 63n) || value >= 2n ** 64n) throw new RangeError('an integer of more than 64 bits');
    this.byte(value >= 2n ** 63n ? 0xcf : 0xd3);
    this.put(8, (view, at) => view.setBigUint64(at, BigInt.asUintN(64, value)));
  }

  private string(text: string): void {
    const utf8 = new TextEncoder().encode(text);
    this.head(utf8.length, { fix: [0xa0, 32], codes: [0xd9, 0xda, 0xdb] });
    this.append(utf8);
  }

  private binary(bytes: Uint8Array): void {
    this.head(bytes.length, { codes: [0xc4, 0xc5, 0xc6] });
    this.append(bytes);
  }

  private date(date: Date): void {
    const ms = date.getTime();
    if (Number.isNaN(ms)) return this.byte(0xc0);
    const seconds = Math.floor(ms / 1_000);
    for (const byte of [0xc7, 12, TIMESTAMP]) this.byte(byte);
    this.put(4, (view, at) => view.setUint32(at, (ms - seconds * 1_000) * 1_000_000));
    this.put(8, (view, at) => view.setBigInt64(at, BigInt(seconds)));
  }

  private array(values: readonly unknown[], depth: number): void {
    this.head(values.length, { fix: [0x90, 16], codes: [undefined, 0xdc, 0xdd] });
    for (const value of values) this.write(value, depth + 1);
  }

  private map(object: Record<string, unknown>, depth: number): void {
    const entries = Object.entries(object).filter(([, value]) => value !== undefined && typeof value !== 'function');
    this.head(entries.length, { fix: [0x80, 16], codes: [undefined, 0xde, 0xdf] });
    for (const [key, value] of entries) {
      this.string(key);
      this.write(value, depth + 1);
    }
  }

  private head(length: number, { fix, codes }: { fix?: [number, number]; codes: (number | undefined)[] }): void {
    const [one, two, four] = codes;
    if (fix !== undefined && length < fix[1]) return this.byte(fix[0] + length);
    if (one !== undefined && length < 2 ** 8) {
      this.byte(one);
      return this.byte(length);
    }
    if (two !== undefined && length < 2 ** 16) {
      this.byte(two);
      return this.put(2, (view, at) => view.setUint16(at, length));
    }
    this.byte(four ?? 0);
    this.put(4, (view, at) => view.setUint32(at, length));
  }

  private byte(byte: number): void {
    this.put(1, (view, at) => view.setUint8(at, byte));
  }

  private append(bytes: Uint8Array): void {
    const at = this.room(bytes.length);
    this.bytes.set(bytes, at);
  }

  private put(count: number, write: (view: DataView, at: number) => void): void {
    const at = this.room(count);
    write(this.view, at);
  }

  /** Makes room for some bytes, and returns where they begin. */
  private room(count: number): number {
    const at = this.length;
    this.length += count;
    if (this.length > this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.length, 2 * this.bytes.length));
      larger.set(this.bytes);
      this.bytes = larger;
      this.view = new DataView(larger.buffer);
    }
    return at;
  }
}
