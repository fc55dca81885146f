import { setTimeout as pause } from 'node:timers/promises';
import type { PostgresServer } from '../../support/postgres-server.js';

/** One message of a transaction. */
export interface Written {
  /** The transaction. */
  readonly xid: string;
  /** Its place in the transaction. */
  readonly n: number;
}

export const CHANNELS = ['feed:a', 'feed:b', 'feed:c'] as const;

const MAX_ROWS = 3;
/** Between the rows of a transaction and its end. `npm run test:soak` has less, and so five times as many rows. */
const MAX_DELAY_MS = Number(process.env.OUTBOX_PAUSE_MS ?? 100);
const ROLLBACKS = 0.2;

/**
 * Writers that commit after random delays, or roll back. What a transaction has written stands in the table `written`, too,
 * which is part of the same transaction: after a crash it says which ones were committed.
 */
export class Writers {
  private isOver = false;
  private readonly running: Promise<void>[];

  private constructor(
    private readonly postgres: PostgresServer,
    private readonly random: () => number,
    count: number,
  ) {
    this.running = Array.from({ length: count }, () => this.write());
  }

  static async start(postgres: PostgresServer, random: () => number, count = 8): Promise<Writers> {
    await postgres.query('CREATE TABLE written (channel text, xid xid8, n int)');
    return new Writers(postgres, random, count);
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.running);
  }

  /** What was committed in a channel, in the order in which it must be published. */
  async committed(channel: string): Promise<Written[]> {
    return this.postgres.query<Written>('SELECT xid::text, n FROM written WHERE channel = $1 ORDER BY written.xid, n', [
      channel,
    ]);
  }

  private async write(): Promise<void> {
    while (!this.isOver) {
      // While the database is away, the connection fails.
      await this.writeUntilLost().catch(() => pause(50));
    }
  }

  private async writeUntilLost(): Promise<void> {
    await using client = await this.postgres.connect();
    while (!this.isOver) {
      await client.query('BEGIN');
      const rows = 1 + Math.floor(this.random() * MAX_ROWS);
      for (let n = 0; n < rows; n += 1) {
        const channel = CHANNELS[Math.floor(this.random() * CHANNELS.length)];
        await client.query('INSERT INTO written VALUES ($1, pg_current_xact_id(), $2)', [channel, n]);
        await client.query(
          "SELECT gatehouse_publish($1, jsonb_build_object('xid', pg_current_xact_id()::text, 'n', $2::int))",
          [channel, n],
        );
      }
      await pause(this.random() * MAX_DELAY_MS);
      await client.query(this.random() < ROLLBACKS ? 'ROLLBACK' : 'COMMIT');
    }
  }
}
