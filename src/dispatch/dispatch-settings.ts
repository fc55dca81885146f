import type { PayloadCipher } from '../protocol/payload-cipher.js';
import type { MessageScope } from './message-scope.js';

export const DISPATCH_SETTINGS = Symbol('DispatchSettings');

export interface DispatchSettings {
  /** Undefined where no key is configured: then nothing encrypted can be read. */
  readonly cipher: PayloadCipher | undefined;
  /** Zero: no limit. */
  readonly handlerTimeoutMs: number;
  /** Each message's call is made within it; undefined where nobody asks for the present message. */
  readonly scope: MessageScope | undefined;
}
