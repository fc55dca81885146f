import type { Gap, Position, Publisher } from '@gatehouse/protocol';
import { isObject } from './incoming.js';
import { positionIn } from './positions.js';

export interface ChannelPublication<D = unknown> {
  readonly data: D;
  readonly from?: Publisher | undefined;
  /** When it was published, milliseconds since 1970. */
  readonly ts?: number | undefined;
  /** Absent in a channel without history. */
  readonly epoch?: string | undefined;
  readonly seq?: number | undefined;
}

/** The answer to a subscribe, as readers see it. Without history there is no position. */
export interface SubscribedState {
  readonly position: Position | undefined;
  /** Where the server was asked to go on from. */
  readonly since: Position | undefined;
  readonly gap: Gap | undefined;
  readonly publications: readonly ChannelPublication[];
}

/** @returns undefined if the reply has not the right shape */
export function readReply(reply: unknown, since: Position | undefined): SubscribedState | undefined {
  if (!isObject(reply) || !Array.isArray(reply.publications)) return undefined;
  const position = positionIn(reply);
  const gap = readGap(reply.gap);
  if (!gap && reply.gap != null) return undefined;
  const stored = reply.publications as readonly unknown[];
  if (!stored.every((one) => isObject(one) && typeof one.seq === 'number')) return undefined;
  const publications = stored.map((one) => publicationOf(one as ChannelPublication, position?.epoch));
  return { position, since, gap, publications };
}

export function readGap(data: unknown): Gap | undefined {
  const { from, to } = (data ?? {}) as Partial<Gap>;
  return typeof to === 'number' && (from === null || typeof from === 'number') ? { from, to } : undefined;
}

export function publicationOf(
  { data, from, ts, seq }: Partial<ChannelPublication>,
  epoch: string | undefined,
): ChannelPublication {
  return { data, from, ts, epoch, seq };
}
