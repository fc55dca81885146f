import type { MembersQuery, Presence } from '../../ports/presence-store.js';
import type { RedisLink } from '../connection/redis-link.js';
import type { RedisNodeRegistry } from '../registry/redis-node-registry.js';

/** Sessions read in one go: about 50 KiB. */
const SLICE = 500;

interface Scan {
  readonly link: RedisLink;
  readonly registry: RedisNodeRegistry;
  /** Called for each session that a lost node has left behind. */
  readonly suspect: (incarnation: string) => void;
}

interface Slice {
  /** Where the next slice begins; `0` after the last one. */
  readonly cursor: string;
  readonly members: readonly Presence[];
}

/**
 * Reads who is in a channel, a slice at a time. Sessions of lost nodes are left out, even if they are not cleared yet.
 *
 * @param hash the sessions of the channel: `<incarnation>\0<user id>` by session id
 */
export async function membersIn(hash: string, query: MembersQuery, scan: Scan): Promise<readonly Presence[]> {
  const { limit = Infinity, inTurn = (step) => step() } = query;
  // By session: HSCAN may return one twice.
  const found = new Map<string, Presence>();
  let cursor = '0';
  do {
    const from = cursor;
    const slice = await inTurn(() => sliceOf(hash, from, scan));
    for (const presence of slice.members) found.set(presence.sessionId, presence);
    ({ cursor } = slice);
  } while (cursor !== '0' && found.size < limit);
  return [...found.values()].slice(0, limit);
}

async function sliceOf(hash: string, from: string, { link, registry, suspect }: Scan): Promise<Slice> {
  const [cursor, fields] = await link.attempt(() => link.client.hscan(hash, from, 'COUNT', SLICE));
  const entries: { readonly incarnation: string; readonly presence: Presence }[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    const [sessionId = '', entry = ''] = fields.slice(index, index + 2);
    const mark = entry.indexOf('\0');
    entries.push({ incarnation: entry.slice(0, mark), presence: { sessionId, userId: entry.slice(mark + 1) } });
  }
  const leased = await registry.withLease(new Set(entries.map(({ incarnation }) => incarnation)));
  for (const { incarnation } of entries) if (!leased.has(incarnation)) suspect(incarnation);
  const members = entries.filter(({ incarnation }) => leased.has(incarnation)).map(({ presence }) => presence);
  return { cursor, members };
}
