import { Injectable } from '@nestjs/common';
import type { OutboundMessage } from '@gatehouse/protocol';
import type { InboundMessage } from '../../protocol/envelope.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { FERNET, type PayloadCipher } from '../../protocol/encryption/payload-cipher.js';
import { DispatchSettings } from '../dispatch-settings.js';

/** Requests with an encrypted payload, and their replies, which are encrypted too. */
@Injectable()
export class EncryptedPayloads {
  /** Undefined if no key is configured. */
  readonly cipher: PayloadCipher | undefined;

  constructor({ cipher }: DispatchSettings) {
    this.cipher = cipher;
  }

  /**
   * Decrypts the payload of a message. `enc` stays, to show how it arrived.
   *
   * @throws GatehouseError DECRYPTION_FAILED for any problem with the payload; VALIDATION_FAILED for an unknown `enc`
   */
  opened(message: InboundMessage): InboundMessage {
    const { cipher } = this;
    if (cipher === undefined) throw new GatehouseError('DECRYPTION_FAILED');
    if (message.enc !== FERNET) {
      throw new GatehouseError('VALIDATION_FAILED', { details: { enc: [`must be "${FERNET}"`] } });
    }
    return { ...message, ...cipher.open(message.data) };
  }

  /** @throws TypeError or RangeError if the data cannot be encoded */
  sealed(reply: OutboundMessage): OutboundMessage {
    const { cipher } = this;
    if (cipher === undefined || reply.data === undefined) return reply;
    return { ...reply, enc: FERNET, data: cipher.seal(reply.data) };
  }
}
