import { inBatches } from '../../bus/batches.js';
import type { ChannelName, Position } from '../../ports/broker.js';

/** Channels whose last acknowledged position is kept. Beyond it, the channel with the oldest publish is forgotten. */
const MAX_CHANNELS = 10_000;
/** Statements that wait for Redis. Beyond it, the oldest is given up. */
const MAX_OWED = 2 * MAX_CHANNELS;
/** Statements in progress at one time. */
const BATCH = 100;
const RETRY_MS = 1_000;

interface Acknowledged {
  readonly position: Position;
  /** The epochs that its own epoch continues. */
  readonly formers: readonly Position[];
  /** When Redis may have forgotten the position, on the performance.now() clock. */
  readonly expiresAt: number;
}

interface Statement {
  readonly channel: ChannelName;
  readonly reached: readonly Position[];
}

/** The relevant part of the reply to a publish. */
export interface Acknowledgement {
  readonly position: Position;
  /** The epochs that its own epoch continues. Undefined: none, or unchanged within the same epoch. */
  readonly formers: readonly Position[] | undefined;
  /** How long Redis keeps the position. */
  readonly lifeMs: number;
}

/**
 * The positions up to which this node's own publishes were acknowledged, by channel. If another Redis server answers,
 * or the same one after a restart, each position is stated to it. What the server does not know is lost, and becomes a
 * gap even if no node had a subscriber.
 */
export class Acknowledgements {
  private readonly latest = new Map<ChannelName, Acknowledged>();
  /** By channel and epoch. */
  private readonly owed = new Map<string, Statement>();
  private isStating = false;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  /** @param state tells Redis the position of a channel */
  constructor(private readonly state: (channel: ChannelName, reached: readonly Position[]) => Promise<unknown>) {}

  /** Empty if nothing was acknowledged. */
  epochOf(channel: ChannelName): string {
    return this.latest.get(channel)?.position.epoch ?? '';
  }

  note(channel: ChannelName, { position, formers, lifeMs }: Acknowledgement): void {
    const former = this.latest.get(channel);
    const isSameEpoch = former?.position.epoch === position.epoch;
    // A reply of a new server, before the change of servers is known otherwise.
    if (former !== undefined && !isSameEpoch) {
      this.owe(channel, former);
      void this.stateOwed();
    }
    const before = formers ?? (isSameEpoch ? former?.formers : undefined) ?? [];
    const expiresAt = performance.now() + lifeMs;
    // Moves the channel to the end of the order.
    this.latest.delete(channel);
    this.latest.set(channel, { position, formers: before, expiresAt });
    if (this.latest.size > MAX_CHANNELS) forgetFirst(this.latest);
  }

  /** Another server may answer from now on. */
  stateAll(): void {
    const now = performance.now();
    for (const [channel, acknowledged] of this.latest) {
      if (acknowledged.expiresAt > now) this.owe(channel, acknowledged);
    }
    void this.stateOwed();
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.latest.clear();
    this.owed.clear();
  }

  private owe(channel: ChannelName, { position, formers }: Acknowledged): void {
    this.owed.set(`${channel} ${position.epoch}`, { channel, reached: [position, ...formers] });
    if (this.owed.size > MAX_OWED) forgetFirst(this.owed);
  }

  /** A failed statement is repeated a second later. */
  private async stateOwed(): Promise<void> {
    if (this.isStating) return;
    this.isStating = true;
    clearTimeout(this.timer);
    try {
      while (this.owed.size > 0) await inBatches([...this.owed], BATCH, ([key, statement]) => this.pay(key, statement));
    } catch {
      // Redis is unreachable or slow: one statement more or less makes no difference.
      if (!this.isClosed) this.timer = setTimeout(() => void this.stateOwed(), RETRY_MS).unref();
    } finally {
      this.isStating = false;
    }
  }

  private async pay(key: string, statement: Statement): Promise<void> {
    await this.state(statement.channel, statement.reached);
    // Unless a later statement has replaced it.
    if (this.owed.get(key) === statement) this.owed.delete(key);
  }
}

function forgetFirst<Key>(map: Map<Key, unknown>): void {
  const [first] = map.keys();
  if (first !== undefined) map.delete(first);
}
