import type { Publication } from '../../ports/broker.js';
import { decodeDraft } from '../../ports/draft-codec.js';

/** The content of one pub/sub message: publications of one event-loop turn and channel. */
export interface PubsubMessage {
  /** Empty in a channel without history. */
  readonly epoch: string;
  readonly publications: readonly Publication[];
}

const LINE_FEED = 10;

/** The head of a message in a channel without history: `-` stands for no epoch. The scripts write the same form. */
export function encodePubsubMessage(ts: number, bodies: readonly Buffer[]): Buffer {
  const lengths = bodies.map(({ length }) => length).join(' ');
  return Buffer.concat([Buffer.from(`- 0 ${ts} ${lengths}\n`), ...bodies]);
}

/**
 * Parses `<epoch or -> <first seq> <time> <length> <length> …`, a line feed, then the publications. In a cell, the seq
 * has that of the publication before it behind it: `<seq>><seq>`.
 *
 * @throws Error if the message has another form
 */
export function decodePubsubMessage(message: Buffer): PubsubMessage {
  const end = message.indexOf(LINE_FEED);
  const [epoch = '', place = '', ...numbers] = message.toString('latin1', 0, end).split(' ');
  const [ts = NaN, ...lengths] = numbers.map(Number);
  const [first = NaN, after] = place.split('>').map(Number);
  const hasHistory = epoch !== '-';
  let offset = end + 1;
  const publications = lengths.map((length, index) => {
    const body = message.subarray(offset, offset + length);
    offset += length;
    const publication = { ...decodeDraft(body), ts, seq: hasHistory ? first + index : 0, bytes: length };
    return after === undefined ? publication : { ...publication, after };
  });
  if (end < 0 || offset !== message.length) throw new Error('Malformed message in Redis');
  return { epoch: hasHistory ? epoch : '', publications };
}
