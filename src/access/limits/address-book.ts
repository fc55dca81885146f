import { ExpiringTable } from './expiring-table.js';
import { TokenBucket, type BucketLimit } from './token-bucket.js';

export interface AddressLimits {
  /** New connections a second. 0 means no limit. */
  readonly connectionRate: number;
  /** Messages a second of all its sessions, with a burst of twice that. 0 means no limit. */
  readonly messageRate: number;
}

/**
 * A limit, and the remaining tokens of addresses that have no connection at the moment. A full bucket need not be
 * remembered.
 */
interface Rate {
  readonly limit: BucketLimit;
  readonly remembered: ExpiringTable;
}

interface Rates {
  readonly connections?: Rate;
  readonly messages?: Rate;
}

/** Addresses whose buckets are not full and that are remembered: 3 MiB for connections, and as much for messages. */
const MAX_REMEMBERED = 131_072;

/**
 * The bucket of an address that may have no connection. It is kept in a table of fixed size, because attackers have
 * endless addresses.
 */
export class RememberedBucket {
  constructor(
    private readonly rate: Rate,
    private readonly key: string,
  ) {}

  /** As for TokenBucket. */
  take(now: number): number {
    const bucket = recall(this.rate, this.key, now);
    const wait = bucket.take(now);
    remember(this.rate, this.key, { bucket, now });
    return wait;
  }

  /** As for TokenBucket. */
  waitFor(now: number): number {
    return recall(this.rate, this.key, now).waitFor(now);
  }
}

/** A proxy is held to limits but never banned automatically; an exempt address is held to none. */
export type AddressKind = 'client' | 'proxy' | 'exempt';

/** The state of one client address (IPv6: one /64). */
export class AddressRecord {
  /** Open connections and upgrades in progress. */
  connections = 0;
  readonly connectionBucket: RememberedBucket | undefined;
  private messages: TokenBucket | undefined;

  constructor(
    readonly key: string,
    private readonly rates: Rates,
    private readonly kind: AddressKind = 'client',
  ) {
    this.connectionBucket = rates.connections && new RememberedBucket(rates.connections, key);
  }

  /** The record of an exempt address. No book contains it. */
  static exempt(key: string): AddressRecord {
    return new AddressRecord(key, {}, 'exempt');
  }

  get isExempt(): boolean {
    return this.kind === 'exempt';
  }

  /** Whether a breach may ban the address. */
  get isBannable(): boolean {
    return this.kind === 'client';
  }

  /** Shared by the sessions of the address. */
  messageBucket(now: number): TokenBucket | undefined {
    this.messages ??= this.rates.messages && recall(this.rates.messages, this.key, now);
    return this.messages;
  }

  /** @internal The last connection has closed. */
  left(now: number): void {
    if (this.rates.messages && this.messages) remember(this.rates.messages, this.key, { bucket: this.messages, now });
  }
}

/**
 * The state of addresses: a record while they have connections, and afterwards, for a while, the rest of their rates.
 */
export class AddressBook {
  private readonly connected = new Map<string, AddressRecord>();
  private readonly rates: Rates;

  constructor({ connectionRate, messageRate }: AddressLimits) {
    this.rates = {
      ...(connectionRate > 0 && { connections: rateOf({ rate: connectionRate, burst: connectionRate }) }),
      ...(messageRate > 0 && { messages: rateOf({ rate: messageRate, burst: messageRate * 2 }) }),
    };
  }

  of(key: string): AddressRecord {
    return this.connected.get(key) ?? new AddressRecord(key, this.rates);
  }

  /** Counts apart from clients of the same address, or of the /64 that the proxy is in. */
  ofProxy(limitKey: string): AddressRecord {
    const key = `proxy ${limitKey}`;
    return this.connected.get(key) ?? new AddressRecord(key, this.rates, 'proxy');
  }

  addConnection(record: AddressRecord): void {
    record.connections += 1;
    if (record.connections === 1) this.connected.set(record.key, record);
  }

  /** @param now milliseconds on the steady clock of the buckets */
  removeConnection(record: AddressRecord, now: number): void {
    record.connections -= 1;
    if (record.connections > 0) return;
    this.connected.delete(record.key);
    record.left(now);
  }

  /**
   * Number of addresses that were forgotten too early, with a bucket that was not full, because there were too many.
   */
  get dropped(): number {
    const { connections, messages } = this.rates;
    return (connections?.remembered.dropped ?? 0) + (messages?.remembered.dropped ?? 0);
  }
}

function rateOf(limit: BucketLimit): Rate {
  return { limit, remembered: new ExpiringTable(MAX_REMEMBERED) };
}

function recall({ limit, remembered }: Rate, key: string, now: number): TokenBucket {
  return new TokenBucket(limit, remembered.get(key, now));
}

function remember(
  { remembered }: Rate,
  key: string,
  { bucket, now }: { readonly bucket: TokenBucket; readonly now: number },
): void {
  if (bucket.fullAt > now) remembered.set(key, bucket.fullAt, { now, until: bucket.fullAt });
}
