import type { Client } from 'pg';
import type { Blocker } from './outbox-events.js';

/** A row as it is read. */
export interface OutboxRow {
  readonly id: string;
  readonly xid: string;
  readonly channel: string;
  /** Null if the row is too large to be read. */
  readonly data: unknown;
  readonly options: unknown;
  /** How long ago it was written, by the clock of the database. */
  readonly ageMs: number;
  readonly isTooLarge: boolean;
}

export interface RefusedRow {
  readonly id: string;
  readonly reason: string;
}

export interface Lag {
  readonly seconds: number;
  /** Undefined if the oldest row may be published. */
  readonly blocker: Blocker | undefined;
}

/** Opens connections. The package is loaded only if there is an outbox. */
export type Connect = () => Promise<Client>;

/** Any number, but the same for all nodes. "gatehous" in ASCII. */
const LOCK = '7449364481905619315';
const BATCH_ROWS = 500;
/** Of the rows in one batch. At least one row is read. */
const BATCH_BYTES = 4_194_304;
const MAX_ROW_BYTES = 16_777_216;
/** A reader that is frozen for this long loses its connection, and with it the lock. */
const IDLE_TIMEOUT = '15s';
const STATEMENT_TIMEOUT = '30s';

/** A compressed value may be a thousand times as large as it is stored. */
const SIZE =
  'CASE WHEN pg_column_compression(data) IS NULL THEN pg_column_size(data) ELSE octet_length(data::text) END';

// `sized.xid` in the order is the number; `xid` alone would be the text that is selected, where 1000 comes before 999.
// `at` may be infinity, which cannot be subtracted: one such row would hold up all others.
const READ = `
  SELECT id, xid::text, channel, CASE WHEN size <= ${MAX_ROW_BYTES} THEN data END AS data, options,
    CASE WHEN isfinite(at) THEN (extract(epoch FROM clock_timestamp() - at) * 1000)::float8 ELSE 0 END AS "ageMs",
    size > ${MAX_ROW_BYTES} AS "isTooLarge"
  FROM (
    SELECT *, sum(size) OVER (ORDER BY xid, id) - size AS before
    FROM (
      SELECT *, ${SIZE} AS size FROM gatehouse_outbox
      WHERE xid < pg_snapshot_xmin(pg_current_snapshot()) AND xid >= $1::text::xid8
      ORDER BY xid, id LIMIT ${BATCH_ROWS}
    ) page
  ) sized
  WHERE before < ${BATCH_BYTES}
  ORDER BY sized.xid, sized.id`;

const SETTLE = `
  WITH bad AS (SELECT * FROM unnest($2::bigint[], $3::text[]) AS bad (id, reason)),
  moved AS (DELETE FROM gatehouse_outbox o USING bad WHERE o.id = bad.id RETURNING o.*, bad.reason),
  kept AS (
    INSERT INTO gatehouse_outbox_refused (id, at, channel, data, options, reason)
    SELECT id, at, channel, data, options, reason FROM moved
    ON CONFLICT (id) DO UPDATE SET reason = excluded.reason, refused_at = now()
  )
  DELETE FROM gatehouse_outbox WHERE id = ANY ($1::bigint[])`;

/** The oldest transaction that still runs holds the lock on its own id. pg_locks can be read by everyone. */
const LAG = `
  SELECT
    CASE WHEN isfinite(oldest.at) THEN (extract(epoch FROM clock_timestamp() - oldest.at))::float8 ELSE 0 END AS seconds,
    oldest.xid >= xmin AS "isBlocked", pid, nullif(application_name, '') AS application
  FROM (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS xmin) horizon
  CROSS JOIN (SELECT at, xid FROM gatehouse_outbox ORDER BY xid, id LIMIT 1) oldest
  LEFT JOIN pg_locks l ON l.locktype = 'transactionid' AND l.granted AND l.transactionid = xmin::xid
    AND l.mode = 'ExclusiveLock'
  LEFT JOIN pg_stat_activity USING (pid)
  LIMIT 1`;

interface LagRow {
  readonly seconds: number;
  readonly isBlocked: boolean;
  readonly pid: number | null;
  readonly application: string | null;
}

/** The outbox over one connection. Every method throws if the connection is lost. */
export class OutboxDatabase {
  private constructor(private readonly client: Client) {}

  /** @param lost called once, if the connection ends by itself */
  static async open(connect: Connect, lost: () => void): Promise<OutboxDatabase> {
    const client = await connect();
    client.on('error', lost);
    client.on('end', lost);
    await client.query(
      `SELECT set_config('idle_session_timeout', '${IDLE_TIMEOUT}', false),
        set_config('statement_timeout', '${STATEMENT_TIMEOUT}', false), set_config('default_transaction_isolation', 'read committed', false)`,
    );
    return new OutboxDatabase(client);
  }

  /** Calls back when the optional trigger of the schema says that there are rows. */
  async listen(notified: () => void): Promise<void> {
    this.client.on('notification', notified);
    await this.client.query('LISTEN gatehouse_outbox');
  }

  /** Returns whether this node is the one that reads. It stays so until the connection ends. */
  async lock(): Promise<boolean> {
    const { rows } = await this.client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1) AS locked', [LOCK]);
    return rows[0]?.locked ?? false;
  }

  /** The next rows in order, from a transaction on. No row can appear before them any more. */
  async read(fromXid: string): Promise<readonly OutboxRow[]> {
    const { rows } = await this.client.query<OutboxRow>(READ, [fromXid]);
    return rows;
  }

  /** Removes rows, in one transaction. */
  async settle(done: readonly string[], refused: readonly RefusedRow[]): Promise<void> {
    const reasons = refused.map(({ reason }) => reason);
    await this.client.query(SETTLE, [done, refused.map(({ id }) => id), reasons]);
  }

  async lag(): Promise<Lag> {
    const { rows } = await this.client.query<LagRow>(LAG);
    const [row] = rows;
    if (row === undefined) return { seconds: 0, blocker: undefined };
    const { seconds, isBlocked, pid, application } = row;
    if (!isBlocked) return { seconds, blocker: undefined };
    return { seconds, blocker: { pid: pid ?? undefined, application: application ?? undefined, seconds } };
  }

  async close(): Promise<void> {
    await this.client.end().catch(() => undefined);
  }
}
