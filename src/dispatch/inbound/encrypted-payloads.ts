import { Injectable } from '@nestjs/common';
import type { OutboundMessage } from '@gatehouse/protocol';
import type { InboundMessage } from '../../protocol/envelope.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { FERNET, type PayloadCipher } from '../../protocol/encryption/payload-cipher.js';
import { DispatchSettings } from '../dispatch-settings.js';

/** Requests whose payload is encrypted, and the replies to them, which are encrypted too. */
@Injectable()
export class EncryptedPayloads {
  /** Undefined where no key is configured. */
  readonly cipher: PayloadCipher | undefined;

  constructor({ cipher }: DispatchSettings) {
    this.cipher = cipher;
  }

  /**
   * The message with its payload decrypted. `enc` stays, to tell how it came.
   *
   * @throws GatehouseError DECRYPTION_FAILED whatever is wrong with the payload; VALIDATION_FAILED for an unknown `enc`
   */
  opened(message: InboundMessage): InboundMessage {
    const { cipher } = this;
    if (cipher === undefined) throw new GatehouseError('DECRYPTION_FAILED');
    if (message.enc !== FERNET) {
      throw new GatehouseError('VALIDATION_FAILED', { details: { enc: [`must be "${FERNET}"`] } });
    }
    return { ...message, ...cipher.open(message.data) };
  }

  /** @throws TypeError or RangeError when the data cannot be written */
  sealed(reply: OutboundMessage): OutboundMessage {
    const { cipher } = this;
    if (cipher === undefined || reply.data === undefined) return reply;
    return { ...reply, enc: FERNET, data: cipher.seal(reply.data) };
  }
}
