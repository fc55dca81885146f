import { Packr } from 'msgpackr';
import { decodeDraft, encodeDraft } from '../../cluster/ports/draft-codec.js';

/** A message that waits for the centre. */
export interface OutboxRecord {
  readonly seq: number;
  /** The run of this node that wrote it: a restart begins another. */
  readonly run: string;
  /** When it was written, by the clock of the outbox. */
  readonly at: number;
  readonly ttlMs: number;
  readonly key: string | undefined;
  readonly channel: string;
  readonly data: unknown;
}

const packr = new Packr({ useRecords: false });
const SEQ_DIGITS = 14;

/** Keys of one stream are in the order of their seqs. */
export function keyOf(stream: string, seq: number): string {
  return `q!${stream}!${seq.toString(16).padStart(SEQ_DIGITS, '0')}`;
}

/** Before and after every key of a stream. */
export function boundsOf(stream: string): { readonly after: string; readonly before: string } {
  return { after: `q!${stream}!`, before: `q!${stream}"` };
}

export function seqIn(key: string): number {
  return Number.parseInt(key.slice(-SEQ_DIGITS), 16);
}

/** @throws TypeError or RangeError for data that cannot be encoded */
export function encodeRecord({ run, at, ttlMs, key, channel, data }: OutboxRecord): Buffer {
  const draft = encodeDraft({ data, from: undefined, excludeSession: undefined, expiresAt: undefined });
  return packr.pack([run, at, ttlMs, key ?? null, channel, draft]);
}

/** Returns undefined if the bytes are not those of a record. */
export function decodeRecord(seq: number, bytes: Buffer): OutboxRecord | undefined {
  try {
    const fields: unknown = packr.unpack(bytes);
    if (!Array.isArray(fields) || fields.length !== 6) return undefined;
    const [run, at, ttlMs, key, channel, draft] = fields as readonly unknown[];
    if (typeof run !== 'string' || typeof at !== 'number' || typeof ttlMs !== 'number') return undefined;
    if (typeof channel !== 'string' || !(draft instanceof Uint8Array)) return undefined;
    const { data } = decodeDraft(Buffer.from(draft));
    return { seq, run, at, ttlMs, key: typeof key === 'string' ? key : undefined, channel, data };
  } catch {
    return undefined;
  }
}
