import type { Namespaces } from '../../config/namespaces.js';
import type { ChannelEgress } from './channel-egress.js';
import type { PayloadCipher } from '../protocol/encryption/payload-cipher.js';

export abstract class ChannelsSettings {
  abstract readonly namespaces: Namespaces;
  /** The file with the namespaces. Undefined: the file that comes with the server. */
  abstract readonly file?: string | undefined;
  /** 0 means no limit. */
  abstract readonly maxPerSession: number;
  /** Joins and leaves a second of one user in one channel. 0 means no limit. */
  abstract readonly presenceRate: number;
  /** Sessions that one presence reply lists; zero: no limit. */
  abstract readonly maxPresenceMembers: number;
  /** For namespaces that require encryption; undefined: no key is configured, and there is none that does. */
  abstract readonly cipher?: PayloadCipher | undefined;
  /** For namespaces with `egress`; undefined: there is no bridge. */
  abstract readonly egress?: ChannelEgress | undefined;
}
