import type { ChannelName, Publication } from '../../cluster/ports/broker.js';
import type { EdgeDatabase } from '../store/edge-database.js';
import { MirrorLog } from './mirror-log.js';
import { boundsOf, decodeHead, decodePublication, HEADS, nameIn, seqIn, type StoredHead } from './mirror-record.js';

/** Records of one read. */
const PAGE = 1_000;

/**
 * Reads the logs that an earlier run has left. What cannot be read is missing: clients that need it are told a gap.
 *
 * @throws Error if the disk fails
 */
export async function loadLogs(database: EdgeDatabase): Promise<Map<ChannelName, MirrorLog>> {
  const logs = new Map<ChannelName, MirrorLog>();
  for await (const [key, value] of allIn(database, HEADS)) {
    const head = decodeHead(value);
    if (head !== undefined) logs.set(nameIn(key), await logOf(database, nameIn(key), head));
  }
  return logs;
}

async function logOf(database: EdgeDatabase, name: ChannelName, head: StoredHead): Promise<MirrorLog> {
  const { epoch, seq, continues, wentBack } = head;
  const epochs = [epoch, ...continues.map((known) => known.epoch)];
  const publications: Publication[] = [];
  for await (const [key, value] of allIn(database, boundsOf(name))) {
    const found = decodePublication(seqIn(key), value);
    // After a repair, some may be older or newer than the head.
    const isOfLog = found !== undefined && epochs.includes(found.epoch) && found.publication.seq <= seq;
    if (isOfLog) publications.push(found.publication);
  }
  return new MirrorLog(epoch, seq, continues, wentBack, publications);
}

async function* allIn(
  database: EdgeDatabase,
  { after, before }: { readonly after: string; readonly before: string },
): AsyncIterable<readonly [string, Buffer]> {
  for (let from = after; ;) {
    const page = await database.read({ after: from, before, limit: PAGE });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    from = last[0];
  }
}
