import { approximateBytes } from '../../cluster/ports/approximate-bytes.js';
import {
  Broker,
  type BrokerListener,
  type ChannelName,
  type Draft,
  type History,
  type HistoryQuery,
  type Position,
  type Publication,
  type Published,
  type PublishOptions,
} from '../../cluster/ports/broker.js';
import { decodeDraft, encodeDraft } from '../../cluster/ports/draft-codec.js';
import { newEpoch } from '../../cluster/ports/epoch.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import type { Database, Item } from '../aws/database.js';
import { Invocation } from '../invocation.js';
import { PositionedPublishes, type PositionedRow } from './positioned-publishes.js';
import type { TableAnswers } from './table-answers.js';

type Limits = NonNullable<PublishOptions['history']>;
/** Options of a publication that the channel keeps. */
type Kept = PublishOptions & { readonly history: Limits };

/** Of a channel without a history. */
const UNKEPT_REPEAT: Published = { position: undefined, isRepeat: true };

export interface TableBrokerParts {
  readonly database: Database;
  /** The name of the table of channels. */
  readonly table: string;
  /** For idempotency keys. */
  readonly answers: TableAnswers;
  readonly sleep: (milliseconds: number) => Promise<unknown>;
}

/** A channel that nobody has published in for so long begins a new epoch. */
const POSITION_LIFE_MS = 30 * 86_400_000;
/** Publications outlive their age by this, in case clocks differ. */
const PUBLICATION_GRACE_MS = 60_000;
/** Beyond this, the size of the frame is checked before a position is taken for it. */
const LARGE_BYTES = 32_768;
/** A position was taken so long ago that its publication has been written, or never will be. */
const WRITING_MS = 2_000;
const READS = 4;
const READ_WAIT_MS = 50;

/** Checks a publication, and sends it on. */
export interface PublicationCheck {
  /** @throws GatehouseError MESSAGE_TOO_LARGE */
  demandRoom(channel: ChannelName, publication: Publication): void;
}

/**
 * Histories in DynamoDB. A position is taken first, by adding one to the counter of the channel, and the publication is
 * written under it. If that fails, the position stays empty, and clients are told of a gap.
 */
export class TableBroker extends Broker {
  readonly checks = undefined;
  check: PublicationCheck | undefined;
  private readonly listeners: BrokerListener[] = [];

  constructor(private readonly parts: TableBrokerParts) {
    super();
  }

  listen(listener: BrokerListener): void {
    this.listeners.push(listener);
  }

  async publish(channel: ChannelName, draft: Draft, options: PublishOptions): Promise<Published> {
    const { idempotencyKey } = options;
    if (approximateBytes(draft.data) > LARGE_BYTES) {
      const ts = Date.now();
      this.check?.demandRoom(channel, { ...draft, ts, seq: Number.MAX_SAFE_INTEGER, bytes: 0 });
    }
    if (options.history !== undefined) return this.append(channel, draft, { ...options, history: options.history });
    if (idempotencyKey !== undefined && !(await this.isFirst(channel, idempotencyKey))) return UNKEPT_REPEAT;
    this.tell(channel, { ...draft, ts: Date.now(), seq: 0, bytes: 0 }, '');
    if (idempotencyKey !== undefined) await this.keep(channel, idempotencyKey);
    return { position: undefined, isRepeat: false };
  }

  /** Subscriptions are rows that the channels write. */
  async subscribe(): Promise<void> {}

  unsubscribe(): void {}

  async close(): Promise<void> {}

  /** The position of a channel that has subscribers: it keeps its epoch, also while it is empty. */
  async position(channel: ChannelName): Promise<Position> {
    const present = await this.parts.database.get(this.parts.table, { channel, seq: 0 });
    return positionOf(present ?? (await this.move(channel, 0)));
  }

  async history(channel: ChannelName, query: HistoryQuery): Promise<History> {
    for (let attempt = 1; ; attempt += 1) {
      const { history, isWritten } = await this.read(channel, query);
      if (isWritten || attempt === READS) return history;
      await this.parts.sleep(READ_WAIT_MS * attempt);
    }
  }

  private async append(channel: ChannelName, draft: Draft, { history, idempotencyKey }: Kept): Promise<Published> {
    const { database, table } = this.parts;
    const ts = Date.now();
    const packed = encodeDraft(draft);
    const expiresAt = Math.ceil((ts + history.ageMs + PUBLICATION_GRACE_MS) / 1_000);
    const take = async (): Promise<Position> => positionOf(await this.move(channel, 1, history));
    const rowAt = ({ epoch }: Position): Item => ({ epoch, ts, draft: packed, expiresAt });
    const published = await (idempotencyKey === undefined
      ? this.write(channel, { take, rowAt })
      : new PositionedPublishes({ database, table }).publish({ channel, idempotencyKey, take, rowAt }));
    const { position, isRepeat } = published;
    if (position !== undefined && !isRepeat) {
      this.tell(channel, { ...draft, ts, seq: position.seq, bytes: packed.length }, position.epoch);
    }
    return published;
  }

  private async write(channel: ChannelName, { take, rowAt }: PositionedRow): Promise<Published> {
    const position = await take();
    await this.parts.database.put(this.parts.table, { ...rowAt(position), channel, seq: position.seq });
    return { position, isRepeat: false };
  }

  /** Nothing tells later whether it was published, so a key without an answer is in use for as long as one with it. */
  private async isFirst(channel: ChannelName, idempotencyKey: string): Promise<boolean> {
    const claim = await this.parts.answers.claim(`${channel}\0${idempotencyKey}`, '');
    if (claim.state === 'pending') throw new GatehouseError('SERVER_BUSY', { retryAfter: 1_000 });
    return claim.state === 'claimed';
  }

  /** It is published, even if that cannot be stored for repetitions. */
  private async keep(channel: ChannelName, idempotencyKey: string): Promise<void> {
    await this.parts.answers.keep(`${channel}\0${idempotencyKey}`, '', null).catch((error: unknown) => {
      Invocation.current.outcomes.add('answer_lost');
      if (!(error instanceof GatehouseError)) Invocation.current.options.onFailure('the answer to a publish', error);
    });
  }

  private tell(channel: ChannelName, publication: Publication, epoch: string): void {
    for (const listener of this.listeners) listener.published(channel, publication, epoch);
  }

  private async move(channel: ChannelName, by: number, limits?: Limits): Promise<Item> {
    const now = Date.now();
    const moved = await this.parts.database.update({
      TableName: this.parts.table,
      Key: { channel, seq: 0 },
      UpdateExpression: `SET epoch = if_not_exists(epoch, :epoch), movedAt = :now, expiresAt = :end${
        limits ? ', limits = :limits' : ''
      } ADD #top :by`,
      ExpressionAttributeNames: { '#top': 'top' },
      ExpressionAttributeValues: {
        ':epoch': newEpoch(),
        ':now': now,
        ':end': Math.ceil((now + POSITION_LIFE_MS) / 1_000),
        ':by': by,
        ...(limits && { ':limits': limits }),
      },
    });
    return moved ?? {};
  }

  private async read(channel: ChannelName, query: HistoryQuery): Promise<Reading> {
    const found = await this.parts.database.get(this.parts.table, { channel, seq: 0 });
    if (found === undefined)
      return { history: { top: { epoch: newEpoch(), seq: 0 }, publications: [] }, isWritten: true };
    const top = positionOf(found);
    const { size = 0, ageMs = 0 } = (found.limits ?? {}) as Partial<Limits>;
    const { afterSeq = 0, beforeSeq = Infinity } = query;
    const first = Math.max(afterSeq, top.seq - size) + 1;
    const last = Math.min(beforeSeq - 1, top.seq);
    if (query.limit === 0 || last < first) return { history: { top, publications: [] }, isWritten: true };
    const publications = await this.collect(channel, { first, last, oldest: Date.now() - ageMs }, query);
    const isRecent = Date.now() - Number(found.movedAt) < WRITING_MS;
    return { history: { top, publications }, isWritten: !isRecent || !hasHole(publications, query, last) };
  }

  private async collect(
    channel: ChannelName,
    { first, last, oldest }: { readonly first: number; readonly last: number; readonly oldest: number },
    { limit = Infinity, maxBytes = Infinity, reverse = false }: HistoryQuery,
  ): Promise<readonly Publication[]> {
    const pages = this.parts.database.query({
      TableName: this.parts.table,
      ConsistentRead: true,
      ScanIndexForward: !reverse,
      ...(Number.isFinite(limit) && { Limit: limit }),
      KeyConditionExpression: 'channel = :channel AND seq BETWEEN :first AND :last',
      ExpressionAttributeValues: { ':channel': channel, ':first': first, ':last': last },
    });
    const found: Publication[] = [];
    let bytes = 0;
    for await (const page of pages) {
      for (const item of page) {
        // A position that was closed: see PositionedPublishes.
        if (item.draft === undefined) continue;
        const publication = publicationOf(item);
        bytes += publication.bytes;
        if (found.length >= limit || (found.length > 0 && bytes > maxBytes)) return found;
        if (publication.ts >= oldest) found.push(publication);
      }
    }
    return found;
  }
}

interface Reading {
  readonly history: History;
  /** False if a publication is missing that may still be on its way into the table. */
  readonly isWritten: boolean;
}

function positionOf({ epoch, top }: Item): Position {
  return { epoch: String(epoch), seq: Number(top ?? 0) };
}

function publicationOf({ seq, ts, draft }: Item): Publication {
  const bytes = Buffer.from(draft as Uint8Array);
  return { ...decodeDraft(bytes), seq: Number(seq), ts: Number(ts), bytes: bytes.length };
}

/** A seq is missing between two others, or the newest one, unless the read ended before it. */
function hasHole(found: readonly Publication[], { limit, maxBytes, reverse }: HistoryQuery, last: number): boolean {
  const seqs = found.map(({ seq }) => seq).toSorted((one, other) => one - other);
  if (seqs.some((seq, index) => index > 0 && seq !== (seqs[index - 1] ?? 0) + 1)) return true;
  const mayEndEarly = (limit !== undefined || maxBytes !== undefined) && reverse !== true && seqs.length > 0;
  return !mayEndEarly && seqs.at(-1) !== last;
}
