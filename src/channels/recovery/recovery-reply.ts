import type { Publication } from '../../cluster/ports/broker.js';
import type { Gap } from './gap.js';

/** What a client is told when it subscribes. */
export interface Recovery {
  /** Where the channel stands; absent in a channel without history. */
  readonly epoch?: string;
  readonly seq?: number;
  /** Whether `publications` is exactly what the client missed. */
  readonly recovered: boolean;
  readonly publications: readonly ShownPublication[];
  /** What is lost, where something is. */
  readonly gap?: Gap;
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
