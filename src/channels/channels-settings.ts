import type { Namespaces } from '../../config/namespaces.js';

export const CHANNELS_SETTINGS = Symbol('ChannelsSettings');

export interface ChannelsSettings {
  readonly namespaces: Namespaces;
  /** Zero: no limit. */
  readonly maxPerSession: number;
}
