import { isFernetKey } from '../keys.js';
import { list, milliseconds } from '../setting.js';

/** Encrypted payloads. */
export const encryption = {
  keys: list({
    env: 'ENCRYPTION_KEYS',
    unit: 'Fernet keys',
    secret: true,
    check: isFernetKey,
    must: 'must be Fernet keys, each 32 bytes in base64url, separated by commas; at most 16',
    max: 16,
    effect:
      'Keys of encrypted payloads: the first encrypts, all decrypt. To change them, put the new key first, and remove the old one when nobody uses it. Empty: encrypted messages get DECRYPTION_FAILED.',
  }),
  ttlMs: milliseconds({
    env: 'ENCRYPTION_TTL_MS',
    fallback: 0,
    effect:
      'How old an encrypted payload may be by its own time, in whole seconds. A payload more than 60 s in the future is then refused too. 0 = no limit.',
  }),
} as const;
