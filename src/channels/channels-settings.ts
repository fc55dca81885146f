import type { Namespaces } from '../../config/namespaces.js';
import type { PayloadCipher } from '../protocol/encryption/payload-cipher.js';

export abstract class ChannelsSettings {
  abstract readonly namespaces: Namespaces;
  /** Zero: no limit. */
  abstract readonly maxPerSession: number;
  /** Joins and leaves a second of one user in one channel; zero: no limit. */
  abstract readonly presenceRate: number;
  /** For namespaces that require encryption; undefined: no key is configured, and there is none that does. */
  abstract readonly cipher?: PayloadCipher | undefined;
}
