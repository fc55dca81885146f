import type {
  Broker,
  BrokerListener,
  ChannelName,
  Draft,
  History,
  HistoryQuery,
  Position,
  PositionChecks,
  Publication,
  Published,
} from '../../../src/cluster/ports/broker.js';
import { GatehouseError } from '../../../src/protocol/gatehouse-error.js';
import { gate, type Gate } from '../../support/gate.js';
import { checksOf } from './position-checks.js';

export interface Carried {
  readonly publication: Publication;
  readonly epoch: string;
}

/** A broker of one channel that loses, repeats, delays and forgets as a test tells it to. */
export class ScriptedBroker implements Broker {
  checks: PositionChecks | undefined;
  epoch = 'e1';
  seq = 0;
  publications: Publication[] = [];
  /** What was published in the channel's present life, by seq, forgotten or not. */
  readonly truth = new Map<number, unknown>();
  isAway = false;
  historyCalls = 0;
  /** How many history requests wait or run at this moment, at most so far. */
  mostAtOnce = 0;
  readonly subscribed = new Set<ChannelName>();
  private running = 0;
  private door: Gate | undefined;
  private lives = 1;
  private continues: readonly Position[] = [];
  private listener: BrokerListener | undefined;

  constructor(readonly channel: ChannelName) {}

  listen(listener: BrokerListener): void {
    this.listener = listener;
  }

  /** Appends to the history, and carries to nobody. */
  append(options: Partial<Draft> = {}): Carried {
    this.seq += 1;
    const { epoch, seq } = this;
    const draft = { data: `${epoch}/${seq}`, from: undefined, excludeSession: undefined, expiresAt: undefined };
    const publication = { ...draft, ...options, ts: Date.now(), seq, bytes: 100 };
    this.publications.push(publication);
    this.truth.set(seq, publication.data);
    return { publication, epoch };
  }

  carry({ publication, epoch }: Carried, channel = this.channel): void {
    this.listener?.published(channel, publication, epoch);
  }

  /** From now on, each position is checked that often. */
  checkEvery(ms: number): void {
    this.checks = checksOf(ms, (...asked) => this.history(...asked));
  }

  /** As publishing is when nothing goes wrong. */
  send(options: Partial<Draft> = {}): Carried {
    const carried = this.append(options);
    this.carry(carried);
    return carried;
  }

  interrupt(): void {
    this.listener?.interrupted();
  }

  /** The history is lost, and another life of the channel begins. */
  beginNewLife(): void {
    this.lives += 1;
    this.epoch = `e${this.lives}`;
    this.seq = 0;
    this.publications = [];
    this.continues = [];
    this.truth.clear();
  }

  /** Another server takes over, to which the newest publications had not come yet: it goes on in an epoch of its own. */
  takeOver(lost: number): void {
    const seq = Math.max(0, this.seq - lost);
    const before = this.continues.map((former) => ({ ...former, seq: Math.min(former.seq, seq) }));
    this.continues = [...before, { epoch: this.epoch, seq }];
    this.publications = this.publications.filter((publication) => publication.seq <= seq);
    this.lives += 1;
    this.epoch = `e${this.lives}`;
    for (; this.seq > seq; this.seq -= 1) this.truth.delete(this.seq);
  }

  /** Forgets all but the newest publications. */
  keep(newest: number): void {
    this.publications = newest === 0 ? [] : this.publications.slice(-newest);
  }

  /** History requests are answered as of when they came, but only after the gate is opened. */
  holdHistory(): Gate {
    this.door = gate();
    return this.door;
  }

  publish(): Promise<Published> {
    return Promise.resolve({ position: undefined, isRepeat: false });
  }

  async subscribe(channel: ChannelName): Promise<void> {
    if (this.isAway) throw new GatehouseError('SERVER_BUSY');
    this.subscribed.add(channel);
  }

  unsubscribe(channel: ChannelName): void {
    this.subscribed.delete(channel);
  }

  async history(
    _channel: ChannelName,
    { afterSeq = 0, beforeSeq = Infinity, limit, reverse = false }: HistoryQuery,
  ): Promise<History> {
    this.historyCalls += 1;
    this.running += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.running);
    const { isAway } = this;
    const { continues } = this;
    const top = { epoch: this.epoch, seq: this.seq };
    const publications = limit === 0 ? [] : this.publications.filter(({ seq }) => seq > afterSeq && seq < beforeSeq);
    if (reverse) publications.reverse();
    await (this.door?.opened ?? Promise.resolve());
    this.running -= 1;
    if (isAway) throw new GatehouseError('SERVER_BUSY');
    return { top, publications, continues };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
