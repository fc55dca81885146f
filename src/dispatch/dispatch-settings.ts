import type { PayloadCipher } from '../protocol/encryption/payload-cipher.js';
import type { MessageScope } from './calls/message-scope.js';

export abstract class DispatchSettings {
  /** Undefined where no key is configured: then nothing encrypted can be read. */
  abstract readonly cipher: PayloadCipher | undefined;
  /** Zero: no limit. */
  abstract readonly handlerTimeoutMs: number;
  /** Each message's call is made within it; undefined where nobody asks for the present message. */
  abstract readonly scope: MessageScope | undefined;
}
