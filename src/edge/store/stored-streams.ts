import type { ForwardRule } from '../../../config/edge-file.js';
import { entriesIn, META, type EdgeDatabase } from './edge-database.js';
import type { ClockReading } from './outbox-clock.js';
import { boundsOf, seqIn } from './outbox-record.js';
import { OutboxStream } from './outbox-stream.js';
import { changed, decodeCounts, NO_COUNTS, type StreamCounts } from './stream-counts.js';

/** Before and after the keys with the counts of streams. */
const COUNTS = { after: 's!', before: 's"' };
const MAX_STREAMS = 1_000;

export interface LoadedStore {
  readonly streams: ReadonlyMap<string, OutboxStream>;
  readonly lastSeq: number;
  readonly reading: ClockReading | undefined;
}

interface Meta extends ClockReading {
  readonly seq: number;
}

export function countsKeyOf(stream: string): string {
  return `${COUNTS.after}${stream}`;
}

export function encodeMeta(seq: number, { at, wall }: ClockReading): Buffer {
  return Buffer.from(JSON.stringify({ seq, at, wall }));
}

/** The streams of the rules, and those on the disk whose rules have left the file: they are still sent. */
export async function loadStore(database: EdgeDatabase, rules: readonly ForwardRule[]): Promise<LoadedStore> {
  const streams = new Map(rules.map((rule) => [rule.name, new OutboxStream(rule)]));
  for (const [key] of await database.read({ ...COUNTS, limit: MAX_STREAMS })) {
    const name = key.slice(COUNTS.after.length);
    if (!streams.has(name)) streams.set(name, new OutboxStream(formerRule(name)));
  }
  const meta = metaIn(await database.get(META));
  let lastSeq = meta?.seq ?? 0;
  for (const stream of streams.values()) {
    const counted = decodeCounts(await database.get(countsKeyOf(stream.name)));
    // After a repair, the counts and the records may be of different times.
    const there = meta === undefined || counted === undefined ? await countOf(database, stream.name) : undefined;
    const { lost, told } = counted ?? NO_COUNTS;
    stream.counts = there === undefined ? (counted ?? NO_COUNTS) : changed(NO_COUNTS, { ...there, lost, told });
    lastSeq = Math.max(lastSeq, there?.lastSeq ?? 0);
  }
  return { streams, lastSeq, reading: meta };
}

function metaIn(bytes: Buffer | undefined): Meta | undefined {
  try {
    const meta = JSON.parse(String(bytes)) as Partial<Meta>;
    const isWhole = [meta.seq, meta.at, meta.wall].every((each) => Number.isSafeInteger(each));
    return isWhole ? (meta as Meta) : undefined;
  } catch {
    return undefined;
  }
}

async function countOf(
  database: EdgeDatabase,
  stream: string,
): Promise<Pick<StreamCounts, 'count' | 'bytes'> & { readonly lastSeq: number }> {
  let [count, bytes, lastSeq] = [0, 0, 0];
  for await (const [key, value] of entriesIn(database, boundsOf(stream))) {
    count += 1;
    bytes += value.length;
    lastSeq = seqIn(key);
  }
  return { count, bytes, lastSeq };
}

function formerRule(name: string): ForwardRule {
  return {
    name,
    types: [],
    channels: [],
    into: '',
    ttlMs: 0,
    maxBytes: Number.MAX_SAFE_INTEGER,
    onFull: 'reject',
    priority: 'normal',
  };
}
