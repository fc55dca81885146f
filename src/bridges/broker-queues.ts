import type { Egress } from '../../config/bridges/destinations.js';
import type { BridgeEvents, BrokerKind } from './bridge-events.js';
import { nameOf, type OutgoingMessage, type SenderFor } from './outgoing.js';
import { OutgoingQueue } from './outgoing-queue.js';

/** Publications that wait for one broker. Beyond either bound, the oldest are dropped. */
const MAX_WAITING = 10_000;
const MAX_BYTES = 33_554_432;

/**
 * The queues of the topics or subjects of one broker. Each has its own, so that one that takes nothing does not hold up
 * the others.
 */
export class BrokerQueues {
  private readonly queues = new Map<string, OutgoingQueue>();
  private senderFor: SenderFor | undefined;
  private isClosed = false;

  constructor(
    private readonly broker: BrokerKind,
    private readonly events: BridgeEvents,
  ) {}

  push(message: OutgoingMessage): void {
    const { destination } = message;
    if (this.isClosed) return void this.events.emit('left', nameOf(destination), 'dropped');
    this.of(destination).push(message);
    this.keepBounds();
    this.changed();
  }

  /** @param senderFor undefined: the broker cannot be reached now */
  use(senderFor: SenderFor | undefined): void {
    this.senderFor = senderFor;
    for (const queue of this.queues.values()) queue.use(senderFor?.(queue.destination));
  }

  /** Resolves when nothing waits any more, or drops what still does after this time. */
  async close(withinMs: number): Promise<void> {
    this.isClosed = true;
    await Promise.all([...this.queues.values()].map((queue) => queue.close(withinMs)));
  }

  private of(destination: Egress): OutgoingQueue {
    const key = 'kafka' in destination ? destination.kafka : `${destination.nats} ${destination.stream ?? ''}`;
    const present = this.queues.get(key);
    if (present !== undefined) return present;
    const queue = new OutgoingQueue({ destination, events: this.events, changed: () => this.changed() });
    queue.use(this.senderFor?.(destination));
    this.queues.set(key, queue);
    return queue;
  }

  /** A topic that takes nothing has the most that wait, and so loses its own publications first. */
  private keepBounds(): void {
    for (;;) {
      const { length, bytes } = this.total();
      if (length <= MAX_WAITING && bytes <= MAX_BYTES) return;
      const fullest = this.fullest(length > MAX_WAITING ? 'length' : 'bytes');
      if (fullest === undefined) return;
      fullest.dropOldest();
    }
  }

  private fullest(size: 'length' | 'bytes'): OutgoingQueue | undefined {
    let fullest: OutgoingQueue | undefined;
    for (const queue of this.queues.values()) {
      if (queue.hasIdle && queue[size] > (fullest?.[size] ?? 0)) fullest = queue;
    }
    return fullest;
  }

  private total(): { length: number; bytes: number } {
    const total = { length: 0, bytes: 0 };
    for (const { length, bytes } of this.queues.values()) {
      total.length += length;
      total.bytes += bytes;
    }
    return total;
  }

  private changed(): void {
    this.events.emit('waiting', this.broker, this.total().length);
  }
}
