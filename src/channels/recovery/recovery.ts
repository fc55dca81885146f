import type { History, Position, Publication } from '../../cluster/ports/broker.js';
import { isContinuedBy } from '../../cluster/ports/continuity.js';
import type { Gap } from './gap.js';
import type { LocalChannel } from '../local-channel.js';
import { StateChannel } from '../state/state-channel.js';
import type { Recovery, ShownPublication } from './recovery-reply.js';
import type { Subscription } from '../subscription.js';

/** Finds the publications that a client missed since its last position. Without `since`, only the current position. */
export async function recover(
  local: LocalChannel,
  subscription: Subscription,
  since: Position | undefined,
): Promise<Recovery> {
  const { history, state } = local.channel.namespace;
  // With an area, its cells bring the values.
  if (history === undefined || state?.area !== undefined) return { recovered: false, publications: [] };
  const recovery = await recoveryOf(local, subscription, since);
  subscription.answered(since, recovery);
  return recovery;
}

async function recoveryOf(
  local: LocalChannel,
  subscription: Subscription,
  since: Position | undefined,
): Promise<Recovery> {
  const isState = local instanceof StateChannel;
  if (!isState || since !== undefined) {
    const history = await local.recover(subscription, since);
    if (since === undefined) return { ...history.top, recovered: false, publications: [] };
    const recovery = continuation(since, history, (publication) => !isExcluded(subscription, publication));
    if (!isState || recovery.recovered) return recovery;
  }
  // In place of a gap, or of the past that nobody has asked for.
  return { ...local.snapshotFor(subscription).snapshot, recovered: false, publications: [] };
}

/** The meaning of a history for a client at `since`. */
export function continuation(
  since: Position,
  history: History,
  isWanted: (publication: Publication) => boolean = () => true,
): Recovery {
  const { top, publications } = history;
  const shown = publications.filter((publication) => isWanted(publication) && isFresh(publication)).map(show);
  // A position ahead of the channel was not given out by this server in the current epoch.
  const isKnown = isContinuedBy(since, history);
  const gap = isKnown ? lossBehind(since.seq, history) : lossOfEpoch(history);
  return { ...top, recovered: gap === undefined, publications: shown, ...(gap && { gap }) };
}

/** From the first to the last missing seq. */
function lossBehind(seq: number, { top, publications }: History): Gap | undefined {
  let gap: Gap | undefined;
  let expected = seq + 1;
  for (const found of [...publications.map((publication) => publication.seq), top.seq + 1]) {
    if (found > expected) gap = { from: gap?.from ?? expected, to: found - 1 };
    expected = found + 1;
  }
  return gap;
}

/** Of an earlier epoch, nobody can say how much is lost. */
function lossOfEpoch(history: History): Gap {
  const first = history.publications[0]?.seq ?? history.top.seq + 1;
  return { from: null, to: lossBehind(first - 1, history)?.to ?? first - 1 };
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
