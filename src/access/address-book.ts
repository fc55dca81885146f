import { TokenBucket } from './token-bucket.js';

export interface AddressLimits {
  /** New connections a second; zero means no limit. */
  readonly connectionRate: number;
  /** Messages a second of all its sessions, at once twice that; zero means no limit. */
  readonly messageRate: number;
}

/** What is known of one client address (IPv6: one /64). */
export interface AddressRecord {
  readonly key: string;
  /** Open connections and upgrades under way. */
  connections: number;
  readonly connectionBucket: TokenBucket | undefined;
  readonly messageBucket: TokenBucket | undefined;
}

/** Buckets are full again after this long, so an address without connections may be forgotten then. */
const GENERATION_MS = 2_000;
/** A generation that fills up ends early: endless addresses cost at most two generations of memory. */
const MAX_GENERATION_SIZE = 100_000;

/** The records of addresses: kept while they have connections, forgotten a while after. */
export class AddressBook {
  private readonly connected = new Map<string, AddressRecord>();
  private recent = new Map<string, AddressRecord>();
  private older = new Map<string, AddressRecord>();
  private generationStartedAt = 0;

  constructor(private readonly limits: AddressLimits) {}

  /** @param now milliseconds on the steady clock that the buckets run on */
  of(key: string, now: number): AddressRecord {
    const known = this.connected.get(key) ?? this.recent.get(key);
    if (known) return known;
    // One of the older generation that is in use again must not be forgotten with it: its bucket would be full again.
    const record = this.older.get(key) ?? this.create(key, now);
    this.older.delete(key);
    this.turnGeneration(now);
    this.recent.set(key, record);
    return record;
  }

  addConnection(record: AddressRecord): void {
    record.connections += 1;
    if (record.connections > 1) return;
    this.recent.delete(record.key);
    this.older.delete(record.key);
    this.connected.set(record.key, record);
  }

  removeConnection(record: AddressRecord, now: number): void {
    record.connections -= 1;
    if (record.connections > 0) return;
    this.connected.delete(record.key);
    this.turnGeneration(now);
    this.recent.set(record.key, record);
  }

  private create(key: string, now: number): AddressRecord {
    const { connectionRate, messageRate } = this.limits;
    return {
      key,
      connections: 0,
      connectionBucket:
        connectionRate > 0 ? new TokenBucket({ rate: connectionRate, burst: connectionRate }, now) : undefined,
      messageBucket: messageRate > 0 ? new TokenBucket({ rate: messageRate, burst: messageRate * 2 }, now) : undefined,
    };
  }

  private turnGeneration(now: number): void {
    if (now - this.generationStartedAt < GENERATION_MS && this.recent.size < MAX_GENERATION_SIZE) return;
    this.older = this.recent;
    this.recent = new Map();
    this.generationStartedAt = now;
  }
}
