import { EventEmitter } from 'node:events';
import type { Ban } from '../cluster/ports/ban-store.js';
import type { Session } from '../sessions/session.js';

/** Whose rate a message was over. */
export const RATES_OF = ['session', 'address'] as const;
export type RateOf = (typeof RATES_OF)[number];

interface AccessEventMap {
  /** This node has made a ban: for a limit that was broken, or because an operator wants it (`by`). */
  banned: [ban: Ban];
  /** An operator has lifted a ban. */
  lifted: [ban: Pick<Ban, 'kind' | 'key'>];
  /** A session of this node is ended by an operator, or because its user is banned. */
  expelled: [session: Session];
  /** A message was refused because of its sender's rate, or has to wait for its tokens. */
  overRate: [of: RateOf];
}

/** Who is kept out and sent away, for observers: each event on one node only. Listeners must not throw. */
export class AccessEvents extends EventEmitter<AccessEventMap> {}
