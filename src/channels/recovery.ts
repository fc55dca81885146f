import type { Broker, History, Position, Publication } from '../cluster/broker.js';
import type { Session } from '../sessions/session.js';
import type { Channel } from './channel.js';

/** Publications that are gone: from the first to the last seq, both included. */
export interface Gap {
  /** Null where a whole epoch ended, and nobody can say how much was in it. */
  readonly from: number | null;
  readonly to: number;
}

/** What a client is told when it subscribes. */
export interface Recovery {
  /** Where the channel stands; absent in a channel without history. */
  readonly epoch?: string;
  readonly seq?: number;
  /** Whether `publications` is exactly what the client missed. */
  readonly recovered: boolean;
  readonly publications: readonly RecoveredPublication[];
  /** What is lost, where something is. */
  readonly gap?: Gap;
}

export interface RecoveredPublication {
  readonly seq: number;
  readonly ts: number;
  readonly data: unknown;
  readonly from?: Publication['from'];
}

interface Recoverer {
  readonly session: Session;
  readonly since?: Position | undefined;
  readonly previousSession?: string | undefined;
}

/** Finds what a client missed since it was last there. Without `since`, only where the channel stands. */
export async function recover(broker: Broker, { name, namespace }: Channel, recoverer: Recoverer): Promise<Recovery> {
  const { since } = recoverer;
  if (namespace.history === undefined) return { recovered: false, publications: [] };
  if (since === undefined) {
    const { top } = await broker.history(name, { limit: 0 });
    return { ...top, recovered: false, publications: [] };
  }
  const history = await broker.history(name, { afterSeq: since.seq });
  if (history.top.epoch === since.epoch) return continueFrom(since, history, recoverer);
  // Another life of the channel: all that it holds is new to the client.
  return continueFrom(undefined, await broker.history(name, {}), recoverer);
}

function continueFrom(since: Position | undefined, { top, publications }: History, recoverer: Recoverer): Recovery {
  const shown = publications.filter((publication) => isFor(recoverer, publication)).map(show);
  const first = publications[0]?.seq ?? top.seq + 1;
  // A position ahead of the channel is none that this server gave out.
  const isKnown = since !== undefined && since.seq <= top.seq;
  if (isKnown && first === since.seq + 1) return { ...top, recovered: true, publications: shown };
  const gap = { from: isKnown ? since.seq + 1 : null, to: first - 1 };
  return { ...top, recovered: false, publications: shown, gap };
}

/** Left out: what has expired, and what the client, then under another session, did not want to get back. */
function isFor({ session, previousSession }: Recoverer, publication: Publication): boolean {
  const { expiresAt, excludeSession, from } = publication;
  if (expiresAt !== undefined && expiresAt <= Date.now()) return false;
  if (excludeSession === undefined) return true;
  if (excludeSession === session.id) return false;
  return excludeSession !== previousSession || from?.userId !== session.userId;
}

/** A publication as clients see it in replies. */
export function show({ seq, ts, data, from }: Publication): RecoveredPublication {
  return from === undefined ? { seq, ts, data } : { seq, ts, data, from };
}
