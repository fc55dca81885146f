import { randomUUID } from 'node:crypto';
import { ANSWER_LIFE_MS } from '../../cluster/ports/answer-store.js';
import type { ChannelName, Position, Published } from '../../cluster/ports/broker.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import type { Database, Item } from '../aws/database.js';
import { keyOf, seconds } from './table-answers.js';

/** A claim without its publication is that of an invocation that still writes. Older ones are given up. */
const WRITING_MS = 5_000;
const RETRY_AFTER_MS = 1_000;
/** What must not expire before something else outlives it by this. */
const GRACE_MS = 60_000;

export interface PositionedPublishesParts {
  readonly database: Database;
  /** The name of the table of channels. */
  readonly table: string;
}

/** How a publication gets its row. */
export interface PositionedRow {
  /** Takes the next position of the channel. */
  readonly take: () => Promise<Position>;
  /** The row of the publication, without its key. */
  readonly rowAt: (position: Position) => Item;
}

/** A publish with an idempotency key, in a channel with a history. */
export interface PositionedPublish extends PositionedRow {
  readonly channel: ChannelName;
  readonly idempotencyKey: string;
}

/** The row of an idempotency key: the position that its publication gets, or has. */
interface PublishClaim extends Position {
  readonly claimedAt: number;
  readonly claimant: string;
}

/**
 * Publishes once for each idempotency key, whichever call to DynamoDB fails, and wherever an invocation ends. The row of
 * the key names a position, and is written first. The publication is written at that position only if nothing is there.
 * So the publication itself tells whether the publish was carried out, and nothing has to be written after it.
 *
 * A repetition that finds a key without its publication waits until the first invocation must be done. Then it closes
 * the position, so that nothing can be written there any more, and publishes at a new one.
 */
export class PositionedPublishes {
  constructor(private readonly parts: PositionedPublishesParts) {}

  /** @throws GatehouseError SERVER_BUSY: it was not published, or will be known to have been when the key comes again */
  async publish(publish: PositionedPublish): Promise<Published> {
    const { channel, idempotencyKey } = publish;
    const key = keyOf(`${channel}\0${idempotencyKey}`);
    const former = await this.find(key);
    if (former !== undefined && (await this.isPublished(channel, former))) return repetitionOf(former);
    const position = await publish.take();
    const claimant = randomUUID();
    await this.claim(key, { ...position, claimant, claimedAt: Date.now() }, former);
    await this.write({ channel, seq: position.seq }, { ...publish.rowAt(position), claimant });
    return { position, isRepeat: false };
  }

  private async find(key: Item): Promise<PublishClaim | undefined> {
    const found = await this.parts.database.get(this.parts.table, key);
    if (found === undefined || hasExpired(found)) return undefined;
    const { epoch, top, claimedAt, claimant } = found;
    return { epoch: String(epoch), seq: Number(top), claimedAt: Number(claimedAt), claimant: String(claimant) };
  }

  /**
   * Whether the publication of a claim is there. If not, it never will be.
   *
   * @throws GatehouseError SERVER_BUSY while it may still be written
   */
  private async isPublished(channel: ChannelName, { seq, claimedAt }: PublishClaim): Promise<boolean> {
    const { database, table } = this.parts;
    const place = { channel, seq };
    const found = await database.get(table, place);
    if (found !== undefined && !hasExpired(found)) return isPublication(found);
    const patience = claimedAt + WRITING_MS - Date.now();
    if (patience > 0) throw busy(patience);
    if (await database.putNew(table, { ...place, expiresAt: closedUntil() })) return false;
    const written = await database.get(table, place);
    return written !== undefined && isPublication(written);
  }

  /** Takes the key, unless it has changed hands meanwhile. Then the position stays empty. */
  private async claim(key: Item, claim: PublishClaim, former: PublishClaim | undefined): Promise<void> {
    const { epoch, seq, claimedAt, claimant } = claim;
    const taken = await this.parts.database.update({
      TableName: this.parts.table,
      Key: key,
      UpdateExpression: 'SET epoch = :epoch, #top = :seq, claimedAt = :at, claimant = :claimant, expiresAt = :end',
      // `:claimant`: the SDK has sent this twice.
      ConditionExpression:
        'attribute_not_exists(channel) OR expiresAt <= :now OR claimant = :claimant OR claimant = :former',
      ExpressionAttributeNames: { '#top': 'top' },
      ExpressionAttributeValues: {
        ':epoch': epoch,
        ':seq': seq,
        ':at': claimedAt,
        ':claimant': claimant,
        ':former': former?.claimant ?? claimant,
        ':end': seconds(claimedAt + ANSWER_LIFE_MS),
        ':now': Math.floor(claimedAt / 1_000),
      },
    });
    if (taken === undefined) throw busy();
  }

  private async write(place: { readonly channel: ChannelName; readonly seq: number }, row: Item): Promise<void> {
    const { database, table } = this.parts;
    // The publication tells whether the publish was carried out, so it must be there as long as its key.
    const expiresAt = Math.max(Number(row.expiresAt), closedUntil());
    const failure = await database.putNew(table, { ...row, ...place, expiresAt }).then(
      (isNew) => (isNew ? undefined : busy()),
      (error: unknown) => error as Error,
    );
    if (failure === undefined) return;
    // It may be there although the call failed.
    const found = await database.get(table, place).catch(() => undefined);
    if (found?.claimant !== row.claimant) throw failure;
  }
}

function isPublication({ draft }: Item): boolean {
  return draft !== undefined;
}

function repetitionOf({ epoch, seq }: PublishClaim): Published {
  return { position: { epoch, seq }, isRepeat: true };
}

function closedUntil(): number {
  return seconds(Date.now() + ANSWER_LIFE_MS + GRACE_MS);
}

/** Items are deleted some time after they have expired. */
function hasExpired({ expiresAt }: Item): boolean {
  return Number(expiresAt) <= Math.floor(Date.now() / 1_000);
}

function busy(retryAfter = RETRY_AFTER_MS): GatehouseError {
  return new GatehouseError('SERVER_BUSY', { retryAfter });
}
