import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

/** Keys of tests: whoever reads this has them. */
export const KEY = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=';
export const OTHER_KEY = 'ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1-f4CBgoM=';

export interface TokenParts {
  readonly version?: number;
  /** Seconds since 1970. */
  readonly time?: number;
  /** Before it is encrypted; it is padded here, unless `isPadded`. */
  readonly plain: string | Buffer;
  readonly isPadded?: boolean;
  readonly key?: string;
}

/** A token by another hand than the server's, right or wrong in each part. */
export function tokenOf({ version = 0x80, time = Date.now() / 1_000, plain, isPadded, key = KEY }: TokenParts): string {
  const bytes = Buffer.from(key, 'base64url');
  const iv = randomBytes(16);
  const head = Buffer.alloc(9);
  head[0] = version;
  head.writeBigUInt64BE(BigInt(Math.floor(time)), 1);
  const cipher = createCipheriv('aes-128-cbc', bytes.subarray(16), iv).setAutoPadding(isPadded !== true);
  const text = Buffer.concat([cipher.update(Buffer.from(plain)), cipher.final()]);
  return signed(Buffer.concat([head, iv, text]), key);
}

/** Signs what may be no token at all. */
export function signed(body: Buffer, key = KEY): string {
  const signature = createHmac('sha256', Buffer.from(key, 'base64url').subarray(0, 16)).update(body).digest();
  const text = Buffer.concat([body, signature]).toString('base64url');
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}

/** A value as a client encrypts it. */
export function sealed(value: unknown, parts: Omit<TokenParts, 'plain'> = {}): string {
  return tokenOf({ ...parts, plain: JSON.stringify(value) });
}

/** What a token holds, without a look at its signature. */
export function unsealed(token: unknown, key = KEY): unknown {
  const bytes = Buffer.from(String(token), 'base64url');
  const decipher = createDecipheriv('aes-128-cbc', Buffer.from(key, 'base64url').subarray(16), bytes.subarray(9, 25));
  return JSON.parse(Buffer.concat([decipher.update(bytes.subarray(25, -32)), decipher.final()]).toString()) as unknown;
}
