import type { Egress } from '../../config/bridges/destinations.js';
import { aborted, backoffMs, pause } from '../channels/backoff.js';
import type { BridgeEvents } from './bridge-events.js';
import { nameOf, type OutgoingMessage, type Sender, type SendResult } from './outgoing.js';

export interface OutgoingQueueParts {
  readonly destination: Egress;
  readonly events: BridgeEvents;
  /** Called when messages have come or gone. */
  readonly changed: () => void;
}

const BATCH = 500;
/** Of the objects around a payload. */
const OVERHEAD_BYTES = 500;

/** Publications for one topic or subject: they wait while it takes none, and leave in order, one batch at a time. */
export class OutgoingQueue {
  private waiting: OutgoingMessage[] = [];
  private size = 0;
  /** Those at the front that are being sent: they cannot be dropped. */
  private inHand = 0;
  private sender: Sender | undefined;
  private readonly end = new AbortController();
  private sending: Promise<void> | undefined;
  /** The time to close is over, and what was being sent counts as dropped, whatever becomes of it. */
  private isAbandoned = false;

  constructor(private readonly parts: OutgoingQueueParts) {}

  get destination(): Egress {
    return this.parts.destination;
  }

  get length(): number {
    return this.waiting.length;
  }

  get bytes(): number {
    return this.size;
  }

  /** Whether there is something that `dropOldest` can drop. */
  get hasIdle(): boolean {
    return this.waiting.length > this.inHand;
  }

  push(message: OutgoingMessage): void {
    if (this.end.signal.aborted) return this.told('dropped');
    this.waiting.push(message);
    this.size += sizeOf(message);
    this.kick();
  }

  /** Drops the oldest that is not being sent. */
  dropOldest(): void {
    const [oldest] = this.waiting.splice(this.inHand, 1);
    if (oldest === undefined) return;
    this.size -= sizeOf(oldest);
    this.told('dropped');
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
    this.parts.changed();
  }

  private kick(): void {
    if (this.sending !== undefined || this.sender === undefined || this.waiting.length === 0) return;
    this.sending = this.run().finally(() => {
      this.sending = undefined;
      if (!this.end.signal.aborted) this.kick();
    });
  }

  private async run(): Promise<void> {
    let failures = 0;
    while (this.sender !== undefined && this.waiting.length > 0 && !this.end.signal.aborted) {
      const { isStuck, failure } = await this.sendNext(this.sender);
      if (this.isAbandoned) return;
      if (failure === undefined) {
        failures = 0;
        continue;
      }
      this.parts.events.emit('failed', nameOf(this.parts.destination), failure);
      failures = isStuck ? failures + 1 : 1;
      await pause(backoffMs(failures - 1), this.end.signal);
    }
  }

  /** Returns why some have to be sent again, and whether none could be settled. */
  private async sendNext(sender: Sender): Promise<{ isStuck: boolean; failure: string | undefined }> {
    // They stay at the front meanwhile, so that those that come are behind them.
    const batch = this.waiting.slice(0, BATCH);
    this.inHand = batch.length;
    const now = Date.now();
    const isCurrent = ({ expiresAt }: OutgoingMessage): boolean => expiresAt === undefined || expiresAt > now;
    const current = batch.filter(isCurrent);
    const results = await resultsOf(sender, current);
    if (this.isAbandoned) return { isStuck: true, failure: undefined };
    this.inHand = 0;
    const done = batch.filter((message) => !isCurrent(message));
    for (const _ of done) this.told('expired');
    let failure: string | undefined;
    for (const [index, message] of current.entries()) {
      const result = results[index] ?? { failure: 'the broker has not answered' };
      if (typeof result === 'string') this.told('sent');
      else if ('refused' in result) this.told('refused', result.refused);
      else failure ??= result.failure;
      if (typeof result === 'string' || 'refused' in result) done.push(message);
    }
    this.remove(done);
    return { isStuck: done.length === 0, failure };
  }

  private remove(messages: readonly OutgoingMessage[]): void {
    const gone = new Set(messages);
    this.waiting = this.waiting.filter((message) => !gone.has(message));
    for (const message of messages) this.size -= sizeOf(message);
    this.parts.changed();
  }

  private told(outcome: 'sent' | 'expired' | 'refused' | 'dropped', detail?: string): void {
    this.parts.events.emit('left', nameOf(this.parts.destination), outcome, detail);
  }
}

async function resultsOf(sender: Sender, messages: readonly OutgoingMessage[]): Promise<readonly SendResult[]> {
  if (messages.length === 0) return [];
  try {
    return await sender(messages);
  } catch (error) {
    const failure = (error as Error).message;
    return messages.map(() => ({ failure }));
  }
}

function sizeOf({ payload }: OutgoingMessage): number {
  return payload.byteLength + OVERHEAD_BYTES;
}
