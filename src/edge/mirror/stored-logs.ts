import type { ChannelName, Publication } from '../../cluster/ports/broker.js';
import { entriesIn, type EdgeDatabase } from '../store/edge-database.js';
import { MirrorLog } from './mirror-log.js';
import {
  channelIn,
  decodeHead,
  decodePublication,
  HEADS,
  nameIn,
  NO_HEAD,
  PUBLICATIONS,
  seqIn,
  type StoredHead,
} from './mirror-record.js';

export interface LoadedLogs {
  readonly logs: ReadonlyMap<ChannelName, MirrorLog>;
  /** Channels of which the disk has something else than their log. Undefined: the channel is to be forgotten. */
  readonly unlike: ReadonlyMap<ChannelName, MirrorLog | undefined>;
  /** Channels with records that cannot be read. Their logs end before the damage. */
  readonly damaged: number;
}

/**
 * Reads the logs that an earlier run has left. What is damaged is asked of the centre again.
 *
 * @throws Error if the disk fails
 */
export async function loadLogs(database: EdgeDatabase): Promise<LoadedLogs> {
  const heads = new Map<ChannelName, StoredHead | undefined>();
  const unlike = new Map<ChannelName, MirrorLog | undefined>();
  for await (const [key, value] of entriesIn(database, HEADS)) {
    if (value.equals(NO_HEAD)) unlike.set(nameIn(key), undefined);
    else heads.set(nameIn(key), decodeHead(value));
  }
  const found = new Map<ChannelName, Publication[]>();
  for await (const [key, value] of entriesIn(database, PUBLICATIONS)) {
    const name = channelIn(key);
    const publications = found.get(name) ?? [];
    found.set(name, publications);
    const publication = publicationOf(heads.get(name), seqIn(key), value);
    if (publication !== undefined) publications.push(publication);
  }
  const logs = new Map<ChannelName, MirrorLog>();
  let damaged = 0;
  for (const name of new Set([...heads.keys(), ...found.keys()])) {
    if (unlike.has(name)) continue;
    const { log, isDamaged } = logOf(heads.get(name), found.get(name) ?? []);
    if (log !== undefined) logs.set(name, log);
    if (!isDamaged) continue;
    unlike.set(name, log);
    damaged += 1;
  }
  return { logs, unlike, damaged };
}

/** @returns undefined if it is damaged, or does not belong to the log: after a repair it may be older or newer */
function publicationOf(head: StoredHead | undefined, seq: number, value: Buffer): Publication | undefined {
  if (head === undefined || seq > head.seq || seq < (head.kept?.first ?? 0)) return undefined;
  const stored = decodePublication(seq, value);
  if (stored === undefined) return undefined;
  const isOfLog = stored.epoch === head.epoch || head.continues.some(({ epoch }) => epoch === stored.epoch);
  return isOfLog ? stored.publication : undefined;
}

function logOf(
  head: StoredHead | undefined,
  publications: Publication[],
): { readonly log: MirrorLog | undefined; readonly isDamaged: boolean } {
  if (head === undefined) return { log: undefined, isDamaged: true };
  const { epoch, seq, continues, wentBack, kept } = head;
  if (kept === undefined || kept.count === publications.length) {
    return { log: new MirrorLog(epoch, seq, continues, wentBack, publications), isDamaged: false };
  }
  return { log: beforeDamage(head, kept.first, publications), isDamaged: true };
}

/** What is there without a hole. The centre is asked to go on from its end. */
function beforeDamage(head: StoredHead, first: number, publications: readonly Publication[]): MirrorLog | undefined {
  const hole = publications.findIndex(({ seq }, index) => seq !== first + index);
  const whole = hole === -1 ? [...publications] : publications.slice(0, hole);
  const last = whole.at(-1);
  if (last === undefined) return undefined;
  // The newest epoch comes first. The place belongs to the oldest one that reached it.
  const index = head.continues.findLastIndex(({ seq }) => seq >= last.seq);
  const epoch = head.continues[index]?.epoch ?? head.epoch;
  return new MirrorLog(epoch, last.seq, head.continues.slice(index + 1), head.wentBack, whole);
}
