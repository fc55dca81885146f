import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { backoffMs } from '../channels/backoff.js';
import type { Channels } from '../channels/channels.js';
import { Pause } from '../channels/pause.js';
import { OutboxDatabase, type Connect } from './outbox-database.js';
import type { OutboxEvents } from './outbox-events.js';
import { publishRows } from './outbox-rows.js';

interface OutboxParts {
  readonly connect: Connect;
  readonly channels: Channels;
  readonly events: OutboxEvents;
}

const MIN_POLL_MS = 50;
const MAX_POLL_MS = 500;
/** How often a node that does not read tries to. */
const STANDBY_MS = 1_000;
const LAG_MS = 1_000;
/** Rows that wait longer for another transaction are worth a line in the log. */
const BLOCKED_SECONDS = 5;
/**
 * A node that was frozen may wake up with rows that another node has published since. Below the five minutes for which
 * the broker knows their keys.
 */
const MAX_HOLD_MS = 60_000;
/** Before every transaction. */
const FIRST_XID = '0';

/**
 * Publishes the rows of the outbox and removes them. One node reads at a time, under a lock of the database; if it is
 * gone, another takes over. A row is published at least once, and its key makes that once in effect.
 */
export class OutboxReader implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly pause = new Pause();
  private running: Promise<void> | undefined;
  private database: OutboxDatabase | undefined;
  private isLost = false;
  private failures = 0;
  private pollMs = MIN_POLL_MS;
  private lagAt = 0;
  /** Rows of earlier transactions are settled. It saves the search through what vacuum has not removed yet. */
  private fromXid = FIRST_XID;

  constructor(private readonly parts: OutboxParts) {}

  onApplicationBootstrap(): void {
    this.running = this.run();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.pause.end();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.pause.hasEnded) {
      try {
        await this.serve();
      } catch (error) {
        this.failed(withHint(error as Error & { code?: unknown }));
      }
      await this.disconnect();
      const restMs = backoffMs(this.failures);
      this.failures += 1;
      await this.pause.for(restMs);
    }
  }

  /** Until the connection is lost, or the node ends. */
  private async serve(): Promise<void> {
    this.isLost = false;
    this.database = await OutboxDatabase.open(this.parts.connect, () => {
      this.isLost = true;
      this.pause.wake();
    });
    while (!(await this.database.lock())) {
      this.failures = 0;
      await this.pause.for(STANDBY_MS);
      if (this.pause.hasEnded) return;
      this.demandConnection();
    }
    await this.database.listen(() => this.pause.wake());
    this.fromXid = FIRST_XID;
    this.parts.events.emit('reading', true);
    while (!this.pause.hasEnded) {
      this.demandConnection();
      await this.turn(this.database);
    }
  }

  private async turn(database: OutboxDatabase): Promise<void> {
    const isBusy = await this.publishNext(database);
    await this.watchLag(database);
    if (isBusy) {
      this.pollMs = MIN_POLL_MS;
      return;
    }
    await this.pause.for(this.pollMs);
    this.pollMs = Math.min(MAX_POLL_MS, this.pollMs * 2);
  }

  /** Returns whether there may be more. */
  private async publishNext(database: OutboxDatabase): Promise<boolean> {
    const askedAt = performance.now();
    const rows = await database.read(this.fromXid);
    this.failures = 0;
    if (rows.length === 0) return false;
    if (this.isLost || performance.now() - askedAt > MAX_HOLD_MS) return true;
    const { published, repeated, expired, refused, failure } = await publishRows(rows, this.parts.channels);
    await database.settle([...published, ...repeated, ...expired], refused);
    this.told({ published, repeated, expired, refused });
    for (const { id, reason } of refused) this.parts.events.emit('refused', id, reason);
    if (failure === undefined) {
      this.fromXid = rows.at(-1)?.xid ?? this.fromXid;
      return true;
    }
    this.failed(failure);
    return false;
  }

  private told(outcomes: Readonly<Record<'published' | 'repeated' | 'expired' | 'refused', readonly unknown[]>>): void {
    for (const [outcome, { length }] of Object.entries(outcomes)) {
      if (length > 0) this.parts.events.emit('settled', outcome as keyof typeof outcomes, length);
    }
  }

  private async watchLag(database: OutboxDatabase): Promise<void> {
    if (performance.now() - this.lagAt < LAG_MS) return;
    const { seconds, blocker } = await database.lag();
    this.lagAt = performance.now();
    this.parts.events.emit('lag', seconds);
    if (blocker !== undefined && seconds > BLOCKED_SECONDS) this.parts.events.emit('blocked', blocker);
  }

  private demandConnection(): void {
    if (this.isLost) throw new Error('the connection to PostgreSQL was lost');
  }

  private failed(reason: string): void {
    this.parts.events.emit('failed', reason);
  }

  private async disconnect(): Promise<void> {
    const { database } = this;
    this.database = undefined;
    this.parts.events.emit('reading', false);
    this.parts.events.emit('lag', 0);
    await database?.close();
  }
}

/** 42P01: a table does not exist. */
function withHint({ message, code }: Error & { code?: unknown }): string {
  return code === '42P01' ? `${message}: run the SQL that npm run postgres:schema prints` : message;
}
