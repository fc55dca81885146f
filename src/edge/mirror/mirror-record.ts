import { Packr } from 'msgpackr';
import { approximateBytes } from '../../cluster/ports/approximate-bytes.js';
import type { ChannelName, Position, Publication } from '../../cluster/ports/broker.js';
import { decodeDraft, encodeDraft } from '../../cluster/ports/draft-codec.js';
import type { MirrorLog } from './mirror-log.js';
import { ROOM_OF_PUBLICATION } from './subscribe-answer.js';

/** What is stored of a channel beside its publications. */
export interface StoredHead extends Pick<MirrorLog, 'epoch' | 'seq' | 'continues' | 'wentBack'> {
  /** Publications on the disk, and the seq of the first one. Undefined: an earlier release did not count. */
  readonly kept?: { readonly first: number; readonly count: number } | undefined;
}

export interface StoredPublication {
  readonly epoch: string;
  readonly publication: Publication;
}

const packr = new Packr({ useRecords: false });
const SEQ_DIGITS = 14;
/** Before and after every publication. */
export const PUBLICATIONS = { after: 'p!', before: 'p"' } as const;
/** Before and after every name of a channel. */
export const HEADS = { after: 'c!', before: 'c"' } as const;

export function headKeyOf(name: ChannelName): string {
  return `c!${name}`;
}

export function nameIn(headKey: string): ChannelName {
  return headKey.slice(2) as ChannelName;
}

/** Keys of one channel are in the order of their seqs. No name of a channel contains a control character. */
export function publicationKeyOf(name: ChannelName, seq: number): string {
  return `p!${name}\0${seq.toString(16).padStart(SEQ_DIGITS, '0')}`;
}

/** Before and after every publication of a channel. */
export function boundsOf(name: ChannelName): { readonly after: string; readonly before: string } {
  return { after: `p!${name}\0`, before: `p!${name}\u{1}` };
}

export function channelIn(publicationKey: string): ChannelName {
  return publicationKey.slice(2, -SEQ_DIGITS - 1) as ChannelName;
}

export function seqIn(key: string): number {
  return Number.parseInt(key.slice(-SEQ_DIGITS), 16);
}

/** Instead of a head while the publications of a channel are being removed. */
export const NO_HEAD = packr.pack(null);

export function encodeHead({ epoch, seq, continues, wentBack, kept }: StoredHead): Buffer {
  const known = continues.map((position) => [position.epoch, position.seq]);
  return packr.pack([epoch, seq, known, wentBack, ...(kept === undefined ? [] : [kept.first, kept.count])]);
}

/** Returns undefined if the bytes are not those of a head. */
export function decodeHead(bytes: Buffer): StoredHead | undefined {
  try {
    const [epoch, seq, known, wentBack, first, count] = packr.unpack(bytes) as readonly unknown[];
    if (typeof epoch !== 'string' || !Number.isSafeInteger(seq) || !Array.isArray(known)) return undefined;
    const continues: Position[] = known.map(([was, last]: [string, number]) => ({ epoch: was, seq: last }));
    const kept = typeof first === 'number' && typeof count === 'number' ? { first, count } : undefined;
    return { epoch, seq: seq as number, continues, wentBack: wentBack === true, kept };
  } catch {
    return undefined;
  }
}

export function encodePublication(epoch: string, { ts, seq: _seq, bytes: _bytes, ...draft }: Publication): Buffer {
  return packr.pack([epoch, ts, encodeDraft(draft)]);
}

/** Returns undefined if the bytes are not those of a publication. */
export function decodePublication(seq: number, stored: Buffer): StoredPublication | undefined {
  try {
    const [epoch, ts, packed] = packr.unpack(stored) as readonly unknown[];
    if (typeof epoch !== 'string' || typeof ts !== 'number' || !(packed instanceof Uint8Array)) return undefined;
    const draft = decodeDraft(Buffer.from(packed));
    const bytes = ROOM_OF_PUBLICATION + approximateBytes(draft.data);
    return { epoch, publication: { ...draft, ts, seq, bytes } };
  } catch {
    return undefined;
  }
}
