import type { Publication } from '../../cluster/ports/broker.js';
import type { StateSlice } from '../state/state-pages.js';
import type { Gap } from './gap.js';

/** The data of the reply to a subscribe. */
export interface Recovery {
  /** The position of the channel; absent in a channel without history. */
  readonly epoch?: string;
  readonly seq?: number;
  /** Whether `publications` is exactly what the client missed. */
  readonly recovered: boolean;
  readonly publications: readonly ShownPublication[];
  /** The lost publications, if any. */
  readonly gap?: Gap;
  /** In a state channel the values, unless `recovered`; it replaces all that the client has. */
  readonly state?: StateSlice['state'];
  readonly versions?: StateSlice['versions'];
  readonly more?: true;
}

/** A publication as clients see it in replies. */
export interface ShownPublication {
  readonly seq: number;
  readonly ts: number;
  /** How `data` is encrypted. */
  readonly enc?: string;
  readonly data: unknown;
  readonly from?: Publication['from'];
}
