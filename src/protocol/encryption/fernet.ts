import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** The content of a token. */
export interface Opened {
  readonly plain: Buffer;
  /** By the clock of the sender, in milliseconds since 1970. Whole seconds. */
  readonly sealedAt: number;
  /** Unique for each token: its signature. */
  readonly signature: Buffer;
}

export interface Circumstances {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Sixteen bytes, never the same twice. */
  readonly iv: Buffer;
}

interface Key {
  readonly signing: Buffer;
  readonly encryption: Buffer;
}

const VERSION = 0x80;
const TIME_AT = 1;
const IV_AT = 9;
const TEXT_AT = 25;
const BLOCK_BYTES = 16;
const SIGNATURE_BYTES = 32;
/** An empty text is padded to a block. */
const MIN_BYTES = TEXT_AT + BLOCK_BYTES + SIGNATURE_BYTES;
/** How far ahead of ours the clock of a sender may be. */
const MAX_SKEW_SECONDS = 60;
/** RFC 4648 §5, with padding, which Python's `cryptography` writes and requires. */
const BASE64URL = /^[\w-]+={0,2}$/;

/**
 * Fernet tokens, version 0x80 of github.com/fernet/spec: AES-128-CBC and HMAC-SHA256, with the time. Every key is
 * tried, so the work does not depend on which one fits.
 */
export class Fernet {
  private readonly keys: readonly Key[];
  private readonly first: Key;

  /** @param keys each 32 bytes in base64url; the first encrypts */
  constructor(keys: readonly string[]) {
    this.keys = keys.map(readKey);
    const [first] = this.keys;
    if (first === undefined) throw new RangeError('Fernet needs a key');
    this.first = first;
  }

  seal(plain: string | Buffer, { now, iv }: Circumstances = { now: Date.now(), iv: randomBytes(BLOCK_BYTES) }): string {
    const head = Buffer.alloc(IV_AT);
    head[0] = VERSION;
    head.writeBigUInt64BE(BigInt(Math.floor(now / 1_000)), TIME_AT);
    const cipher = createCipheriv('aes-128-cbc', this.first.encryption, iv);
    const text = typeof plain === 'string' ? cipher.update(plain, 'utf8') : cipher.update(plain);
    const signed = Buffer.concat([head, iv, text, cipher.final()]);
    return padded(Buffer.concat([signed, signatureOf(signed, this.first)]).toString('base64url'));
  }

  /**
   * Undefined if anything is wrong with the token.
   *
   * @param ttlMs how old it may be, in whole seconds; 0: no limit, also not into the future
   */
  open(token: string, ttlMs = 0, now = Date.now()): Opened | undefined {
    if (token.length % 4 !== 0 || !BASE64URL.test(token)) return undefined;
    const bytes = Buffer.from(token, 'base64url');
    if (bytes.length < MIN_BYTES || (bytes.length - MIN_BYTES) % BLOCK_BYTES !== 0) return undefined;
    const signed = bytes.subarray(0, -SIGNATURE_BYTES);
    const signature = bytes.subarray(-SIGNATURE_BYTES);
    const key = this.keyOf(signed, signature);
    const sealedAt = Number(bytes.readBigUInt64BE(TIME_AT)) * 1_000;
    if (key === undefined || bytes[0] !== VERSION || !isTimely(now - sealedAt, ttlMs)) return undefined;
    const plain = decrypted(signed, key);
    return plain && { plain, sealedAt, signature };
  }

  private keyOf(signed: Buffer, signature: Buffer): Key | undefined {
    let found: Key | undefined;
    for (const key of this.keys) if (timingSafeEqual(signatureOf(signed, key), signature)) found ??= key;
    return found;
  }
}

/** Like Python's `cryptography`, which counts in seconds. */
function isTimely(ageMs: number, ttlMs: number): boolean {
  const age = Math.floor(ageMs / 1_000);
  return ttlMs === 0 || (age <= ttlMs / 1_000 && age >= -MAX_SKEW_SECONDS);
}

function readKey(text: string): Key {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length !== 2 * BLOCK_BYTES) throw new RangeError('A Fernet key has 32 bytes');
  return { signing: bytes.subarray(0, BLOCK_BYTES), encryption: bytes.subarray(BLOCK_BYTES) };
}

function signatureOf(signed: Buffer, { signing }: Key): Buffer {
  return createHmac('sha256', signing).update(signed).digest();
}

function decrypted(signed: Buffer, { encryption }: Key): Buffer | undefined {
  const decipher = createDecipheriv('aes-128-cbc', encryption, signed.subarray(IV_AT, TEXT_AT));
  try {
    return Buffer.concat([decipher.update(signed.subarray(TEXT_AT)), decipher.final()]);
  } catch {
    // The padding is wrong, so someone with the key made it so.
    return undefined;
  }
}

function padded(base64url: string): string {
  return base64url.padEnd(Math.ceil(base64url.length / 4) * 4, '=');
}
