import type { BridgeEvents, BrokerKind } from './bridge-events.js';
import { nameOf, Unsendable, type OutgoingMessage, type Sender } from './outgoing.js';
import { aborted, backoffMs, pause } from './pause.js';

/** Publications that wait for one broker. Beyond either bound the oldest are dropped. */
const MAX_WAITING = 10_000;
const MAX_BYTES = 33_554_432;
const BATCH = 500;
/** Of the objects around a payload. */
const OVERHEAD_BYTES = 500;

/** Publications for one broker: they wait while it is away, and leave in order, one batch at a time. */
export class OutgoingQueue {
  private waiting: OutgoingMessage[] = [];
  private bytes = 0;
  /** Those at the front that are being sent: they cannot be dropped. */
  private inHand = 0;
  private sender: Sender | undefined;
  private readonly end = new AbortController();
  private sending: Promise<void> | undefined;
  /** The time to close is over, and what was being sent counts as dropped, whatever becomes of it. */
  private isAbandoned = false;

  constructor(
    private readonly broker: BrokerKind,
    private readonly events: BridgeEvents,
  ) {}

  push(message: OutgoingMessage): void {
    if (this.end.signal.aborted) return this.settled([message], 'dropped');
    this.waiting.push(message);
    this.bytes += sizeOf(message);
    while (this.waiting.length > this.inHand && this.isFull) this.dropOldest();
    this.changed();
    this.kick();
  }

  /** @param sender undefined: the broker cannot be reached now */
  use(sender: Sender | undefined): void {
    this.sender = sender;
    this.kick();
  }

  /** Resolves when nothing waits any more, or drops what still does after this time. */
  async close(withinMs: number): Promise<void> {
    const deadline = setTimeout(() => this.end.abort(), withinMs);
    if (this.sender === undefined) this.end.abort();
    // A broker that hangs must not hold up the end of the process.
    const timeIsOver = aborted(this.end.signal);
    while (this.sending !== undefined && !this.end.signal.aborted) await Promise.race([this.sending, timeIsOver]);
    this.isAbandoned = true;
    clearTimeout(deadline);
    this.end.abort();
    this.inHand = 0;
    while (this.waiting.length > 0) this.dropOldest();
    this.changed();
  }

  private get isFull(): boolean {
    return this.waiting.length > MAX_WAITING || this.bytes > MAX_BYTES;
  }

  private kick(): void {
    if (this.sending !== undefined || this.sender === undefined || this.waiting.length === 0) return;
    this.sending = this.run().finally(() => {
      this.sending = undefined;
      if (!this.end.signal.aborted) this.kick();
    });
  }

  private async run(): Promise<void> {
    for (let failures = 0; this.waiting.length > 0 && !this.end.signal.aborted; failures += 1) {
      const { sender } = this;
      if (sender === undefined) return;
      // They stay at the front meanwhile, so that those that come are behind them.
      const batch = this.waiting.slice(0, BATCH);
      this.inHand = batch.length;
      const isSent = await this.sendAll(batch, sender);
      this.inHand = 0;
      if (isSent) failures = -1;
      else await pause(backoffMs(failures), this.end.signal);
    }
  }

  /** Returns false if the batch has to be sent again. */
  private async sendAll(batch: readonly OutgoingMessage[], sender: Sender): Promise<boolean> {
    const now = Date.now();
    const current = batch.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now);
    const old = batch.filter((message) => !current.includes(message));
    try {
      if (current.length > 0) await sender(current);
    } catch (error) {
      if (this.isAbandoned) return true;
      if (error instanceof Unsendable && current.length > 1) return this.sendSingly(current, sender);
      if (error instanceof Unsendable) {
        this.settled(current, 'refused');
        this.remove(current);
        return true;
      }
      this.events.emit('failed', this.broker, (error as Error).message);
      return false;
    }
    if (this.isAbandoned) return true;
    this.settled(old, 'expired');
    this.settled(current, 'sent');
    this.remove(batch);
    return true;
  }

  private async sendSingly(batch: readonly OutgoingMessage[], sender: Sender): Promise<boolean> {
    for (const message of batch) if (!(await this.sendAll([message], sender))) return false;
    return true;
  }

  private remove(messages: readonly OutgoingMessage[]): void {
    const gone = new Set(messages);
    this.waiting = this.waiting.filter((message) => !gone.has(message));
    for (const message of messages) this.bytes -= sizeOf(message);
    this.inHand -= messages.length;
    this.changed();
  }

  private dropOldest(): void {
    const [oldest] = this.waiting.splice(this.inHand, 1);
    if (oldest === undefined) return;
    this.bytes -= sizeOf(oldest);
    this.settled([oldest], 'dropped');
  }

  private settled(messages: readonly OutgoingMessage[], outcome: 'sent' | 'expired' | 'refused' | 'dropped'): void {
    for (const { destination } of messages) this.events.emit('left', nameOf(destination), outcome);
  }

  private changed(): void {
    this.events.emit('waiting', this.broker, this.waiting.length);
  }
}

function sizeOf({ payload }: OutgoingMessage): number {
  return payload.byteLength + OVERHEAD_BYTES;
}
