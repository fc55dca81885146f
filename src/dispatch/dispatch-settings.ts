import type { PayloadCipher } from '../protocol/payload-cipher.js';

export const DISPATCH_SETTINGS = Symbol('DispatchSettings');

export interface DispatchSettings {
  /** Undefined where no key is configured: then nothing encrypted can be read. */
  readonly cipher: PayloadCipher | undefined;
  /** Zero: no limit. */
  readonly handlerTimeoutMs: number;
}
