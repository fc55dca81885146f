import type { Position } from '../../../src/cluster/ports/broker.js';

export type FaultKind = 'lost' | 'doubled' | 'out of order' | 'replaced' | 'unannounced';

export interface Fault {
  readonly kind: FaultKind;
  readonly text: string;
}

/** As in a `gap` message and in the reply to `subscribe`. */
export interface Gap {
  readonly from: number | null;
  readonly to: number;
}

export interface SubscribeReply {
  readonly epoch: string;
  readonly seq: number;
  readonly recovered: boolean;
  readonly publications: readonly { readonly seq: number; readonly data: { readonly id: number } }[];
  readonly gap?: Gap;
}

/** Ids are publisher × this + its count. */
export const IDS_PER_PUBLISHER = 1_000_000;
/** More of one run say nothing new. */
const MAX_FAULTS = 5;

interface Acknowledgement extends Position {
  readonly id: number;
  /** Whether it was sent once only: then it keeps its publisher's order. */
  readonly isFirstTry: boolean;
}

/** What is known of one channel: what was sent, what was acknowledged at which position, what stood where for whoever saw it. */
export class Ledger {
  readonly faults: Fault[] = [];
  private readonly sentAt = new Map<number, number>();
  private readonly ids = new Map<string, Map<number, number>>();
  private readonly positions = new Map<number, Position[]>();
  private readonly acknowledgements: Acknowledgement[] = [];
  private readonly witnesses: Witness[] = [];

  constructor(readonly channel: string) {}

  witness(name: string): Witness {
    const witness = new Witness(name, this);
    this.witnesses.push(witness);
    return witness;
  }

  /** Before it is sent for the first time. */
  sent(id: number): void {
    this.sentAt.set(id, performance.now());
  }

  get allSent(): Iterable<number> {
    return this.sentAt.keys();
  }

  get allAcknowledged(): readonly number[] {
    return this.acknowledgements.map(({ id }) => id);
  }

  sentBefore(id: number, time: number): boolean {
    return (this.sentAt.get(id) ?? Infinity) <= time;
  }

  acknowledged(acknowledgement: Acknowledgement): void {
    this.acknowledgements.push(acknowledgement);
    this.stands(acknowledgement.id, acknowledgement);
  }

  /** Somebody has learnt that the publication stands there. */
  stands(id: number, { epoch, seq }: Position): void {
    const ofEpoch = this.ids.get(epoch) ?? new Map<number, number>();
    this.ids.set(epoch, ofEpoch);
    const known = ofEpoch.get(seq);
    if (known === id) return;
    if (!this.sentAt.has(id)) this.fault('replaced', `${epoch}/${seq} is ${id}, which nobody has published`);
    if (known !== undefined) {
      this.fault('replaced', `${epoch}/${seq} is ${known} for one and ${id} for another`);
      return;
    }
    ofEpoch.set(seq, id);
    const positions = this.positions.get(id);
    if (positions) positions.push({ epoch, seq });
    else this.positions.set(id, [{ epoch, seq }]);
  }

  idAt({ epoch, seq }: Position): number | undefined {
    return this.ids.get(epoch)?.get(seq);
  }

  positionsOf(id: number): readonly Position[] {
    return this.positions.get(id) ?? [];
  }

  fault(kind: FaultKind, text: string): void {
    if (this.faults.length < MAX_FAULTS) this.faults.push({ kind, text: `${this.channel}: ${text}` });
  }

  /** Who has not seen what was acknowledged last. */
  get behind(): readonly Witness[] {
    const last = this.acknowledgements.at(-1);
    return last ? this.witnesses.filter((witness) => !witness.hasSeen(last)) : [];
  }

  /** At the end, when everyone has come to the top of the channel: has everyone seen, or been told of, all that was acknowledged? */
  verify(): readonly Fault[] {
    for (const acknowledgement of this.acknowledgements) {
      for (const witness of this.witnesses) witness.accountFor(acknowledgement);
    }
    this.verifyOrder();
    return this.faults;
  }

  private verifyOrder(): void {
    const last = new Map<string, Acknowledgement>();
    for (const next of this.acknowledgements.filter(({ isFirstTry }) => isFirstTry).sort((a, b) => a.id - b.id)) {
      const line = `${next.epoch}/${Math.floor(next.id / IDS_PER_PUBLISHER)}`;
      const before = last.get(line);
      last.set(line, next);
      if (!before || before.seq < next.seq) continue;
      this.fault('out of order', `${before.id} was published before ${next.id}, and stands behind it`);
    }
  }
}

/** What one subscriber was told, over all its connections. Whatever is wrong becomes a fault of the ledger. */
export class Witness {
  readonly gaps: Gap[] = [];
  private at: Position | undefined;
  private start: Position | undefined;
  /** What it has seen, one entry for each stretch without a gap. */
  private readonly runs: { epoch: string; from: number; to: number }[] = [];
  private readonly announcements: { gap: Gap; epoch: string; time: number }[] = [];
  /** The first run since another epoch began of which nobody can say what was lost. */
  private firstRun = 0;

  constructor(
    private readonly name: string,
    private readonly ledger: Ledger,
  ) {}

  /** What to ask for with `since`. */
  get position(): Position | undefined {
    return this.at;
  }

  subscribed({ epoch, seq, recovered, publications, gap }: SubscribeReply): void {
    if (this.at === undefined) {
      this.start = { epoch, seq };
      this.at = this.start;
      return;
    }
    if (recovered === (gap !== undefined)) {
      this.fault('unannounced', `subscribe was answered recovered: ${recovered}, gap: ${JSON.stringify(gap)}`);
    }
    if (gap) this.announced(epoch, gap);
    // The channel may continue from before the position of the subscriber.
    const first = publications[0]?.seq ?? Infinity;
    if (gap?.from === null) this.at = { epoch, seq: Math.min(gap.to, first - 1) };
    for (const publication of publications) {
      if (gap) this.skip(publication.seq, gap);
      this.message({ epoch, seq: publication.seq }, publication.data.id);
    }
    if (gap && this.at.seq < gap.to) this.at = { epoch, seq: gap.to };
    if (this.at.seq !== seq)
      this.fault('lost', `the reply to subscribe says seq ${seq} and brings all to ${this.at.seq}`);
    this.at = { epoch, seq };
  }

  gap(epoch: string, gap: Gap): void {
    if (gap.from !== null && gap.from !== (this.at?.seq ?? 0) + 1) {
      this.fault('unannounced', `stood at ${this.at?.seq} and was told of a gap ${gap.from} to ${gap.to}`);
    }
    this.announced(epoch, gap);
    this.at = { epoch, seq: gap.to };
  }

  message(position: Position, id: number): void {
    const { epoch, seq } = position;
    const expected = (this.at?.seq ?? 0) + 1;
    this.ledger.stands(id, position);
    if (seq !== expected) {
      const kind = seq > expected ? 'lost' : this.sawAt(id, seq) ? 'doubled' : 'out of order';
      this.fault(kind, `expected seq ${expected} and got ${epoch}/${seq}`);
    }
    this.checkDoubled(position, id);
    const run = this.runs.at(-1);
    if (run?.epoch === epoch && run.to + 1 === seq) run.to = seq;
    else this.runs.push({ epoch, from: seq, to: seq });
    this.at = position;
  }

  hasSeen({ id, seq }: Acknowledgement): boolean {
    return this.runs.some((run) => run.from <= seq && seq <= run.to && this.ledger.idAt({ ...run, seq }) === id);
  }

  accountFor(acknowledgement: Acknowledgement): void {
    const { id, epoch, seq } = acknowledgement;
    if (this.hasSeen(acknowledgement) || (this.start?.epoch === epoch && seq <= this.start.seq)) return;
    const isAnnounced = this.announcements.some(({ gap, epoch: begun, time }) => {
      if (gap.from !== null) return gap.from <= seq && seq <= gap.to;
      return begun === epoch ? seq <= gap.to : this.ledger.sentBefore(id, time);
    });
    if (!isAnnounced) this.fault('lost', `${id} was acknowledged at ${epoch}/${seq}, not seen, and not announced`);
  }

  private announced(epoch: string, gap: Gap): void {
    this.gaps.push(gap);
    this.announcements.push({ gap, epoch, time: performance.now() });
    if (gap.from === null) this.firstRun = this.runs.length;
  }

  /** A reply has what is left before its gap and within it. What is missing between two publications must lie in the gap. */
  private skip(next: number, { from, to }: Gap): void {
    if (this.at === undefined) return;
    const expected = this.at.seq + 1;
    if (expected < next && (from ?? 0) <= expected && next <= to + 1) this.at = { ...this.at, seq: next - 1 };
  }

  /** The same publication at two positions. A retry may publish it again only where it, and its key with it, was lost. */
  private checkDoubled({ seq }: Position, id: number): void {
    const positions = this.ledger.positionsOf(id);
    if (positions.length < 2) return;
    const other = positions.find((one) => one.seq !== seq && this.sawAt(id, one.seq));
    if (other) this.fault('doubled', `${id} at seq ${other.seq} and again at ${seq}`);
  }

  private sawAt(id: number, seq: number): boolean {
    const recent = this.runs.slice(this.firstRun);
    return recent.some(({ epoch, from, to }) => from <= seq && seq <= to && this.ledger.idAt({ epoch, seq }) === id);
  }

  private fault(kind: FaultKind, text: string): void {
    this.ledger.fault(kind, `${this.name}: ${text}`);
  }
}
