import { isFernetKey } from '../keys.js';
import { list, milliseconds } from '../setting.js';

/** Payloads that whoever carries them cannot read. */
export const encryption = {
  keys: list({
    env: 'ENCRYPTION_KEYS',
    unit: 'Fernet keys',
    secret: true,
    check: isFernetKey,
    must: 'must be Fernet keys, each 32 bytes in base64url, separated by commas; at most 16',
    max: 16,
    effect:
      'Keys of encrypted payloads: the first encrypts, all decrypt. To change them, put the new one first and drop the old one once nobody uses it. Empty: encrypted messages are answered DECRYPTION_FAILED.',
  }),
  ttlMs: milliseconds({
    env: 'ENCRYPTION_TTL_MS',
    fallback: 0,
    effect:
      'How old an encrypted payload may be by its own time, in whole seconds; one that is more than 60 s ahead is refused then too. 0 = no limit.',
  }),
} as const;
