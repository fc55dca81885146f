import type { Cipher } from './codec.js';
import { openAll, type Opener } from './decryption.js';

const VERSION = 0x80;
const HEAD_BYTES = 25;
const TAG_BYTES = 32;

/**
 * Encrypts payloads with Fernet, as servers with `ENCRYPTION_KEYS` do. Encrypts with the first key and decrypts with any of them.
 *
 * @param keys 32 bytes in base64url each
 */
export function fernet(...keys: readonly string[]): Cipher & Opener {
  const imported = keys.map((key) => importKey(fromBase64(key)));
  const [first] = imported;
  if (first === undefined) throw new TypeError('Fernet needs at least one key');
  // What is wrong with a key is told to those who use it.
  for (const key of imported) key.catch(() => {});
  const opener: Opener = {
    enc: 'fernet',
    async open(token) {
      const bytes = fromBase64(token);
      for (const key of imported) {
        const text = await openedWith(await key, bytes);
        if (text !== undefined) return JSON.parse(text) as unknown;
      }
      throw new Error('The token was made with another key, or was changed');
    },
  };
  return {
    ...opener,
    seal: async (data) => sealed(await first, new TextEncoder().encode(JSON.stringify(data))),
    openMessage: (message) => openAll(message, opener),
  };
}

type CryptoKey = Awaited<ReturnType<typeof globalThis.crypto.subtle.importKey>>;

interface Key {
  readonly sign: CryptoKey;
  readonly encrypt: CryptoKey;
}

async function importKey(bytes: Uint8Array<ArrayBuffer>): Promise<Key> {
  if (bytes.length !== 32) throw new TypeError('A Fernet key has 32 bytes');
  const { subtle } = globalThis.crypto;
  const sign = await subtle.importKey('raw', bytes.slice(0, 16), { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
    'verify',
  ]);
  const encrypt = await subtle.importKey('raw', bytes.slice(16), 'AES-CBC', false, ['encrypt', 'decrypt']);
  return { sign, encrypt };
}

async function sealed({ sign, encrypt }: Key, text: Uint8Array<ArrayBuffer>): Promise<string> {
  const { subtle } = globalThis.crypto;
  const head = new Uint8Array(HEAD_BYTES);
  head[0] = VERSION;
  new DataView(head.buffer).setBigUint64(1, BigInt(Math.floor(Date.now() / 1_000)));
  const iv = globalThis.crypto.getRandomValues(head.subarray(9));
  const body = new Uint8Array(await subtle.encrypt({ name: 'AES-CBC', iv }, encrypt, text));
  const signed = joined(head, body);
  return toBase64(joined(signed, new Uint8Array(await subtle.sign('HMAC', sign, signed))));
}

async function openedWith({ sign, encrypt }: Key, token: Uint8Array<ArrayBuffer>): Promise<string | undefined> {
  const { subtle } = globalThis.crypto;
  if (token[0] !== VERSION || token.length < HEAD_BYTES + TAG_BYTES) return undefined;
  const signed = token.slice(0, -TAG_BYTES);
  if (!(await subtle.verify('HMAC', sign, token.slice(-TAG_BYTES), signed))) return undefined;
  const iv = signed.slice(9, HEAD_BYTES);
  return new TextDecoder().decode(await subtle.decrypt({ name: 'AES-CBC', iv }, encrypt, signed.slice(HEAD_BYTES)));
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));
}

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_');
}
