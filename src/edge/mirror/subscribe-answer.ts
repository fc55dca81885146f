import type { Position, Publication } from '../../cluster/ports/broker.js';
import { approximateBytes } from '../../cluster/ports/approximate-bytes.js';
import type { Gap } from '../../channels/recovery/gap.js';
import type { UpstreamPush } from '../link/client-library.js';

/** The centre's answer to a subscribe, checked. */
export interface SubscribeAnswer {
  readonly top: Position;
  readonly publications: readonly Publication[];
  readonly gap: Gap | undefined;
}

/** Bytes of a publication beside its data, as in a history in memory. */
export const ROOM_OF_PUBLICATION = 400;

/** @returns undefined if the centre keeps no history of the channel, so that nothing could be told of losses */
export function answerIn(reply: unknown): SubscribeAnswer | undefined {
  const { epoch, seq, publications, gap } = (reply ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof epoch !== 'string' || !isSeq(seq) || !Array.isArray(publications)) return undefined;
  const found = publications.map((each) => publicationIn(each as Partial<UpstreamPush>));
  if (!found.every((each) => each !== undefined)) return undefined;
  return { top: { epoch, seq }, publications: found, gap: gapIn(gap) };
}

/** @returns undefined if it is no publication with a place in the channel */
export function publicationIn({ seq, ts, data, from }: Partial<UpstreamPush>): Publication | undefined {
  if (!isSeq(seq) || seq === 0) return undefined;
  const publisher = from ?? undefined;
  const bytes = ROOM_OF_PUBLICATION + approximateBytes(data);
  const sent = { data, from: publisher, excludeSession: undefined, expiresAt: undefined };
  return { ...sent, ts: ts ?? Date.now(), seq, bytes };
}

/** Stands for a publication that the centre does not deliver any more, because its time is over. It is no loss. */
export function expired(seq: number, ts: number): Publication {
  const nothing = { data: null, from: undefined, excludeSession: undefined };
  return { ...nothing, expiresAt: 0, ts, seq, bytes: ROOM_OF_PUBLICATION };
}

export function gapIn(data: unknown): Gap | undefined {
  const { from, to } = (data ?? {}) as Partial<Gap>;
  return isSeq(to) && (from === null || isSeq(from)) ? { from, to } : undefined;
}

function isSeq(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
