import { isUtf8 } from 'node:buffer';
import type { Seal } from '../envelope.js';
import { Fernet } from './fernet.js';
import { GatehouseError } from '../gatehouse-error.js';
import { jsonText, parseJson } from '../codecs/json-codec.js';

/** The value of `enc`. */
export const FERNET = 'fernet';

export interface OpenedPayload {
  readonly data: unknown;
  readonly seal: Seal;
}

/** Payloads as Fernet tokens of their JSON, whatever the codec of the message. */
export class PayloadCipher {
  constructor(
    private readonly fernet: Fernet,
    /** How old a received payload may be. 0: no limit. */
    private readonly ttlMs: number,
  ) {}

  /** Undefined if no key is configured. */
  static of({ keys, ttlMs }: { readonly keys: readonly string[]; readonly ttlMs: number }): PayloadCipher | undefined {
    return keys.length === 0 ? undefined : new PayloadCipher(new Fernet(keys), ttlMs);
  }

  /** @throws TypeError or RangeError if the data cannot be encoded */
  seal(data: unknown): string {
    return this.fernet.seal(jsonText(data));
  }

  /**
   * Decrypts a payload of a client, with the same checks as for a message of `v1.json`.
   *
   * @throws GatehouseError DECRYPTION_FAILED if anything is wrong with it
   */
  open(token: unknown): OpenedPayload {
    return this.openWithin(this.ttlMs, token);
  }

  /**
   * Decrypts stored data, however old.
   *
   * @throws GatehouseError DECRYPTION_FAILED if its key is no longer configured
   */
  openKept(token: unknown): unknown {
    return this.openWithin(0, token).data;
  }

  private openWithin(ttlMs: number, token: unknown): OpenedPayload {
    const opened = typeof token === 'string' ? this.fernet.open(token, ttlMs) : undefined;
    if (opened === undefined || !isUtf8(opened.plain)) throw new GatehouseError('DECRYPTION_FAILED');
    const { plain, sealedAt, signature } = opened;
    return { data: parsed(plain), seal: { at: sealedAt, signature: signature.toString('base64url') } };
  }
}

function parsed(plain: Buffer): unknown {
  try {
    return parseJson(plain.toString('utf8'));
  } catch {
    throw new GatehouseError('DECRYPTION_FAILED');
  }
}
