import { GatehouseError } from '../../protocol/gatehouse-error.js';
import type { Claim } from '../ports/answer-store.js';
import { ExpiringMap } from '../ports/expiring-map.js';
import type { ReplayStore } from '../ports/replay-store.js';

/** Bytes of an entry beside its reply: two digests, a record and a place in a map. Measured: 390 to 460 bytes. */
const ROOM_OF_ENTRY = 450;
/** The part of the budget that one owner may take, so that nobody can shut out all others. */
const SHARE_OF_OWNER = 4;
const RETRY_AFTER_MS = 1_000;

interface Seen {
  readonly owner: string;
  readonly fingerprint: string;
  bytes: number;
  answer?: { readonly text: string };
}

/** Message ids and replies of a single node. */
export class MemoryReplayStore implements ReplayStore {
  private readonly seen: ExpiringMap<Seen>;
  private readonly bytesOfOwner = new Map<string, number>();
  private bytes = 0;

  constructor(
    lifeMs: number,
    private readonly budgetBytes: number,
  ) {
    this.seen = new ExpiringMap(lifeMs, Infinity, (entry) => this.take(entry, -entry.bytes));
  }

  /** @throws GatehouseError SERVER_BUSY if there is no room in total, or for this owner */
  async claim(key: string, fingerprint: string, owner = ''): Promise<Claim> {
    this.seen.trim();
    const known = this.seen.get(key);
    if (known !== undefined) return claimOf(known);
    const entry: Seen = { owner, fingerprint, bytes: 0 };
    if (!this.hasRoom(owner, ROOM_OF_ENTRY)) throw new GatehouseError('SERVER_BUSY', { retryAfter: RETRY_AFTER_MS });
    this.take(entry, ROOM_OF_ENTRY);
    this.seen.set(key, entry);
    return { state: 'claimed' };
  }

  /**
   * If there is no room for the reply, it is not kept. The claim stays pending, which refuses a repetition all the
   * same.
   */
  async keep(key: string, _fingerprint: string, answer: unknown): Promise<void> {
    const entry = this.seen.get(key);
    const text = JSON.stringify(answer);
    if (entry === undefined || !this.hasRoom(entry.owner, text.length)) return;
    this.take(entry, text.length);
    entry.answer = { text };
  }

  async release(key: string): Promise<void> {
    const entry = this.seen.get(key);
    if (entry === undefined) return;
    this.seen.delete(key);
    this.take(entry, -entry.bytes);
  }

  private hasRoom(owner: string, bytes: number): boolean {
    const ofOwner = (this.bytesOfOwner.get(owner) ?? 0) + bytes;
    return this.bytes + bytes <= this.budgetBytes && ofOwner <= this.budgetBytes / SHARE_OF_OWNER;
  }

  private take(entry: Seen, bytes: number): void {
    this.bytes += bytes;
    entry.bytes += bytes;
    const ofOwner = (this.bytesOfOwner.get(entry.owner) ?? 0) + bytes;
    if (ofOwner === 0) this.bytesOfOwner.delete(entry.owner);
    else this.bytesOfOwner.set(entry.owner, ofOwner);
  }
}

function claimOf({ fingerprint, answer }: Seen): Claim {
  if (answer === undefined) return { state: 'pending', fingerprint };
  return { state: 'answered', fingerprint, answer: JSON.parse(answer.text) as unknown };
}
