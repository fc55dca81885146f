import { EventEmitter } from 'node:events';
import type { Ban } from '../cluster/ports/ban-store.js';
import type { Session } from '../sessions/session.js';

/** The session or address whose rate a message exceeded. */
export const RATES_OF = ['session', 'address'] as const;
export type RateOf = (typeof RATES_OF)[number];

interface AccessEventMap {
  /** This node made a ban, for a broken limit or on behalf of an operator (`by`). */
  banned: [ban: Ban];
  /** An operator lifted a ban. */
  lifted: [ban: Pick<Ban, 'kind' | 'key'>];
  /** An operator ended a session of this node, or banned its user. */
  expelled: [session: Session];
  /** A message was refused because of its sender's rate, or waits for tokens. */
  overRate: [of: RateOf];
}

/**
 * Bans, terminations and rate limits, for observers. Each event is emitted on one node only. Listeners must not throw.
 */
export class AccessEvents extends EventEmitter<AccessEventMap> {}
