import { Packr } from 'msgpackr';
import { approximateBytes } from '../../cluster/ports/approximate-bytes.js';
import type { ChannelName, Position, Publication } from '../../cluster/ports/broker.js';
import { decodeDraft, encodeDraft } from '../../cluster/ports/draft-codec.js';
import type { MirrorLog } from './mirror-log.js';
import { ROOM_OF_PUBLICATION } from './subscribe-answer.js';

/** What is stored of a channel beside its publications. */
export type StoredHead = Pick<MirrorLog, 'epoch' | 'seq' | 'continues' | 'wentBack'>;

export interface StoredPublication {
  readonly epoch: string;
  readonly publication: Publication;
}

const packr = new Packr({ useRecords: false });
const SEQ_DIGITS = 14;
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

export function seqIn(key: string): number {
  return Number.parseInt(key.slice(-SEQ_DIGITS), 16);
}

export function encodeHead({ epoch, seq, continues, wentBack }: StoredHead): Buffer {
  return packr.pack([epoch, seq, continues.map((known) => [known.epoch, known.seq]), wentBack]);
}

/** Returns undefined if the bytes are not those of a head. */
export function decodeHead(bytes: Buffer): StoredHead | undefined {
  try {
    const [epoch, seq, known, wentBack] = packr.unpack(bytes) as readonly unknown[];
    if (typeof epoch !== 'string' || !Number.isSafeInteger(seq) || !Array.isArray(known)) return undefined;
    const continues: Position[] = known.map(([was, last]: [string, number]) => ({ epoch: was, seq: last }));
    return { epoch, seq: seq as number, continues, wentBack: wentBack === true };
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
