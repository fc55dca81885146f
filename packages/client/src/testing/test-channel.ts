import type { Gap, Position, Publication, Publisher, SubscribeReply } from '@gatehouse/protocol';

/** A channel of the server in memory: what was published, and what is left of it. */
export class TestChannel {
  private epochs = 1;
  private last = 0;
  private history: Publication[] = [];

  constructor(
    readonly name: string,
    readonly hasHistory: boolean,
    private readonly now: () => number,
  ) {}

  get position(): Position {
    return { epoch: `epoch-${this.epochs}`, seq: this.last };
  }

  publish(data: unknown, from?: Publisher): Publication {
    this.last += 1;
    const publication = { seq: this.last, ts: this.now(), data, ...(from && { from }) };
    if (this.hasHistory) this.history.push(publication);
    return publication;
  }

  /** Drops all but the newest publications. */
  trim(keep: number): void {
    this.history = keep === 0 ? [] : this.history.slice(-keep);
  }

  /** As a Redis that restarts empty. */
  startAgain(): void {
    this.epochs += 1;
    this.last = 0;
    this.history = [];
  }

  read({ since, limit = 100, reverse = false }: HistoryRequest): Position & { publications: readonly Publication[] } {
    const known = since === undefined || since.epoch !== this.position.epoch ? 0 : since.seq;
    const publications = this.history.filter(({ seq }) => seq > known);
    return { ...this.position, publications: (reverse ? publications.toReversed() : publications).slice(0, limit) };
  }

  recover(since: Position | undefined): SubscribeReply {
    const channel = this.name;
    if (!this.hasHistory) return { channel, recovered: false, publications: [] };
    if (since === undefined) return { channel, ...this.position, recovered: false, publications: [] };
    const isKnown = since.epoch === this.position.epoch && since.seq <= this.last;
    const publications = this.history.filter(({ seq }) => !isKnown || seq > since.seq);
    const first = (publications[0]?.seq ?? this.last + 1) - 1;
    const from = isKnown ? since.seq + 1 : null;
    const gap: Gap | undefined =
      from === null || from <= first ? { from, to: from === null ? this.last : first } : undefined;
    const kept = from === null ? [] : publications;
    return { channel, ...this.position, recovered: gap === undefined, publications: kept, ...(gap && { gap }) };
  }
}

export interface HistoryRequest {
  readonly since?: Position;
  readonly limit?: number;
  readonly reverse?: boolean;
}
