import type { ChannelName, Position, Publication } from '../../ports/broker.js';
import { decodeDraft } from '../../ports/draft-codec.js';
import type { RedisLink } from '../connection/redis-link.js';

/** How long an idempotency key is remembered, and at least how long the position of an unused channel is kept. */
export const MEMORY_MS = 300_000;

/** An entry of a channel's stream, as the scripts write and read it. */
export type Entry = [id: Buffer, fields: [string: Buffer, ts: Buffer, string: Buffer, body: Buffer]];

/** @throws Error if `publish` did not write it */
export function publicationIn([id, [, ts, , body]]: Entry): Publication {
  // `<seq>-0`
  const seq = Number.parseInt(id.toString('latin1'), 10);
  return { ...decodeDraft(body), ts: Number(ts), seq, bytes: body.length };
}

/** `epoch seq epoch seq …` */
export function positionsIn(text: string): Position[] {
  return [...text.matchAll(/(\S+) (\d+)/g)].map(([, epoch = '', seq]) => ({ epoch, seq: Number(seq) }));
}

/** The keys of a channel: its position and its history. */
export function keysOf(link: RedisLink, channel: ChannelName): [meta: string, log: string] {
  return [link.key(channel, 'meta'), link.key(channel, 'log')];
}
