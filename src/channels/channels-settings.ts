import type { Namespaces } from '../../config/namespaces.js';
import type { PayloadCipher } from '../protocol/payload-cipher.js';

export const CHANNELS_SETTINGS = Symbol('ChannelsSettings');

export interface ChannelsSettings {
  readonly namespaces: Namespaces;
  /** Zero: no limit. */
  readonly maxPerSession: number;
  /** For namespaces that require encryption; undefined: no key is configured, and there is none that does. */
  readonly cipher?: PayloadCipher | undefined;
}
