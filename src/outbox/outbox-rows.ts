import { publishForBackEnd, type BackEndOutcome } from '../channels/back-end-publish.js';
import type { Channels } from '../channels/channels.js';
import type { OutboxRow, RefusedRow } from './outbox-database.js';

/** What became of a batch. Rows that are in neither list could not be published now. */
export interface BatchResult {
  readonly published: readonly string[];
  readonly repeated: readonly string[];
  readonly expired: readonly string[];
  readonly refused: readonly RefusedRow[];
  /** Why the others could not be published. */
  readonly failure: string | undefined;
}

interface RowOptions {
  readonly ttlMs?: number;
  readonly excludeSession?: string;
}

type Outcome = BackEndOutcome | 'expired';

const OPTIONS = ['ttlMs', 'excludeSession'];

/**
 * Publishes rows: those of one channel in one event-loop turn, which the broker keeps in order and sends together. The
 * key of a row lets a second publish of it have no effect.
 */
export async function publishRows(rows: readonly OutboxRow[], channels: Channels): Promise<BatchResult> {
  const outcomes = await Promise.all(rows.map((row) => publishRow(row, channels)));
  const idsOf = (outcome: Outcome): string[] =>
    rows.filter((_, index) => outcomes[index] === outcome).map(({ id }) => id);
  const refused: RefusedRow[] = [];
  let failure: string | undefined;
  outcomes.forEach((outcome, index) => {
    if (typeof outcome === 'string') return;
    if ('failure' in outcome) failure ??= outcome.failure;
    else refused.push({ id: rows[index]?.id ?? '', reason: outcome.refused });
  });
  return {
    published: idsOf('published'),
    repeated: idsOf('repeated'),
    expired: idsOf('expired'),
    refused,
    failure,
  };
}

async function publishRow(row: OutboxRow, channels: Channels): Promise<Outcome> {
  if (row.isTooLarge) return { refused: 'its data is larger than 16 MiB' };
  let options: RowOptions;
  try {
    options = optionsOf(row.options);
  } catch (error) {
    return { refused: (error as Error).message };
  }
  const { ttlMs, excludeSession } = options;
  const remainingMs = ttlMs === undefined ? undefined : Math.ceil(ttlMs - row.ageMs);
  if (remainingMs !== undefined && remainingMs <= 0) return 'expired';
  return publishForBackEnd(channels, row.channel, {
    data: row.data,
    // With the transaction, because ids begin anew if the table is truncated or restored.
    idempotencyKey: `pg:${row.xid}:${row.id}`,
    ttlMs: remainingMs,
    excludeSession,
  });
}

/** @throws TypeError */
function optionsOf(given: unknown): RowOptions {
  if (given === null) return {};
  if (typeof given !== 'object' || Array.isArray(given)) throw new TypeError('its options are not an object');
  const unknown = Object.keys(given).find((key) => !OPTIONS.includes(key));
  if (unknown !== undefined) throw new TypeError(`it has an unknown option, ${JSON.stringify(unknown.slice(0, 64))}`);
  const { ttlMs, excludeSession } = given as { readonly ttlMs?: unknown; readonly excludeSession?: unknown };
  if (ttlMs !== undefined && !(Number.isSafeInteger(ttlMs) && (ttlMs as number) > 0)) {
    throw new TypeError('its option ttlMs is not a whole number above 0');
  }
  if (excludeSession !== undefined && typeof excludeSession !== 'string') {
    throw new TypeError('its option excludeSession is not a text');
  }
  return given;
}
