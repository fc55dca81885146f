import type { Namespaces } from '../../config/namespaces.js';
import type { PayloadCipher } from '../protocol/payload-cipher.js';

export abstract class ChannelsSettings {
  abstract readonly namespaces: Namespaces;
  /** Zero: no limit. */
  abstract readonly maxPerSession: number;
  /** For namespaces that require encryption; undefined: no key is configured, and there is none that does. */
  abstract readonly cipher?: PayloadCipher | undefined;
}
