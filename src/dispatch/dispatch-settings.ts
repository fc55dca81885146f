import type { PayloadCipher } from '../protocol/encryption/payload-cipher.js';
import type { MessageScope } from './calls/message-scope.js';

export abstract class DispatchSettings {
  /** Undefined if no key is configured. Encrypted messages cannot be read then. */
  abstract readonly cipher: PayloadCipher | undefined;
  /** 0 means no limit. */
  abstract readonly handlerTimeoutMs: number;
  /** Runs each message's call; undefined if nobody needs the current message. */
  abstract readonly scope: MessageScope | undefined;
}
