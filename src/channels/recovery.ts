import type { History, Position, Publication } from '../cluster/broker.js';
import { isContinuedBy } from '../cluster/continuity.js';
import type { Gap } from './gap.js';
import type { LocalChannel } from './local-channel.js';
import type { Subscription } from './subscription.js';

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

/** Finds what a client missed since it was last there. Without `since`, only where the channel stands. */
export async function recover(
  local: LocalChannel,
  subscription: Subscription,
  since: Position | undefined,
): Promise<Recovery> {
  if (local.channel.namespace.history === undefined) return { recovered: false, publications: [] };
  const history = await local.recover(subscription, since);
  if (since === undefined) return { ...history.top, recovered: false, publications: [] };
  return continuation(since, history, (publication) => !isExcluded(subscription, publication));
}

/** What a history means for a client that stood at `since`. */
export function continuation(
  since: Position,
  history: History,
  isWanted: (publication: Publication) => boolean = () => true,
): Recovery {
  const { top, publications } = history;
  const shown = publications.filter((publication) => isWanted(publication) && isFresh(publication)).map(show);
  const first = publications[0]?.seq ?? top.seq + 1;
  // A position ahead of the channel is none that this server gave out in its present life.
  const isKnown = isContinuedBy(since, history);
  if (isKnown && first === since.seq + 1) return { ...top, recovered: true, publications: shown };
  const gap = { from: isKnown ? since.seq + 1 : null, to: first - 1 };
  return { ...top, recovered: false, publications: shown, gap };
}

/** Whether a publication may still be delivered. */
export function isFresh({ expiresAt = Infinity }: Publication): boolean {
  return expiresAt > Date.now();
}

export function show({ seq, ts, data, from, enc }: Publication): ShownPublication {
  const shown = enc === undefined ? { seq, ts, data } : { seq, ts, enc, data };
  return from === undefined ? shown : { ...shown, from };
}

function isExcluded(subscription: Subscription, { excludeSession }: Publication): boolean {
  return excludeSession !== undefined && subscription.isOneself(excludeSession);
}
