import type { History, Position, Publication } from '../../cluster/ports/broker.js';
import { isContinuedBy } from '../../cluster/ports/continuity.js';
import type { StateStore } from '../../cluster/ports/state-store.js';
import type { LocalChannelOptions } from '../local-channel-setup.js';
import { LocalChannel } from '../local-channel.js';
import type { Subscription } from '../subscription.js';
import type { SlowReaders } from './slow-readers.js';
import type { SnapshotCause, StateCounts } from './state-counts.js';
import { StatePages, type SizedSlice, type StateSlice } from './state-pages.js';
import { StateSubscribers, type SharedState } from './state-subscription.js';
import { loadState, StateView, type LoadedState } from './state-view.js';

export interface StateChannelOptions extends LocalChannelOptions {
  readonly store: StateStore;
  readonly stateCounts: StateCounts;
  readonly slow: SlowReaders;
}

/** A part of the state of a channel, as of a position. */
export interface StateSnapshot extends Position, StateSlice {}

/** A part, and its approximate size. */
export interface SizedSnapshot {
  readonly snapshot: StateSnapshot;
  readonly bytes: number;
}

/** A channel that holds state: its subscribers start with all values, and get them again instead of a gap. */
export class StateChannel extends LocalChannel {
  protected readonly store: StateStore;
  private readonly shared: SharedState;
  /** What each subscriber still has to ask for. */
  private readonly pages = new WeakMap<Subscription, StatePages>();

  constructor(options: StateChannelOptions) {
    const { ledger, stateCounts: counts, slow, setup } = options;
    const { channel, cell } = setup;
    const resend = (subscription: Subscription): void => this.resend(subscription);
    const position = { epoch: '', seq: 0 };
    const shared: SharedState = { view: new StateView(), counts, slow, position, cell, resend };
    const isConflated = channel.namespace.delivery === 'latest' && ledger === undefined;
    super(options, isConflated ? new StateSubscribers(options, shared) : undefined);
    this.store = options.store;
    this.shared = shared;
  }

  /** Number of keys. */
  get keys(): number {
    return this.shared.view.size;
  }

  /** The state from its beginning, for a subscriber that has none of it. */
  snapshotFor(subscription: Subscription): SizedSnapshot {
    this.begin(subscription, 'subscribe');
    return this.nextPage(subscription);
  }

  /** From now on, `nextPage` gives the state from its beginning, and publications after it follow. */
  begin(subscription: Subscription, cause: SnapshotCause): void {
    this.shared.counts.snapshots[cause] += 1;
    subscription.recoveredTo(this.shared.position);
    this.readAgain(subscription);
  }

  /** From now on, `nextPage` gives the state from its beginning. */
  readAgain(subscription: Subscription): void {
    this.pages.set(subscription, new StatePages(this.shared.view));
  }

  /** Whether the subscriber has begun to read the state, and not read all of it. */
  hasMore(subscription: Subscription): boolean {
    return this.pages.has(subscription);
  }

  /** The next part of the state. Empty if there is none. */
  nextPage(subscription: Subscription): SizedSnapshot {
    const { slice, bytes } = this.slice(subscription);
    return { snapshot: { ...this.shared.position, ...slice }, bytes };
  }

  protected override async beginning(): Promise<History> {
    const loaded = await this.load();
    this.take(loaded);
    return { top: loaded.position, publications: [] };
  }

  protected load(): Promise<LoadedState> {
    return loadState((from) => this.store.page(this.name, from));
  }

  protected override deliver(publication: Publication, epoch: string, continues?: History['continues']): void {
    this.shared.view.apply(publication);
    this.shared.position = { epoch, seq: publication.seq };
    super.deliver(publication, epoch, continues);
  }

  protected override async missing(): Promise<() => void> {
    const history = await this.newHistory();
    if (isWhole(this.position, history)) return () => this.bring(history);
    const loaded = await this.load();
    return () => this.bringAll(loaded, history);
  }

  protected override stand(history: History): void {
    super.stand(history);
    this.shared.position = history.top;
  }

  private slice(subscription: Subscription): SizedSlice {
    const pages = this.pages.get(subscription);
    const next = pages?.next() ?? { slice: { state: {}, versions: {} }, bytes: 0 };
    if (!next.slice.more) this.pages.delete(subscription);
    return next;
  }

  private take({ values, position }: LoadedState): void {
    this.shared.view.replace(values);
    this.shared.position = position;
  }

  /** Instead of a gap. */
  protected bringAll(loaded: LoadedState, { top, continues }: Pick<History, 'top' | 'continues'>): void {
    const { position } = loaded;
    this.take(loaded);
    const history = {
      top: position,
      publications: [],
      continues: top.epoch === position.epoch ? continues : undefined,
    };
    this.stand(history);
    const { slice } = new StatePages(this.shared.view).next();
    // The first part is the same for all. Whoever needs more starts again: what it has already costs no correctness.
    for (const subscription of this.subscriptions.values()) {
      this.shared.counts.snapshots.gap += 1;
      if (slice.more) this.readAgain(subscription);
      else this.pages.delete(subscription);
    }
    this.subscribers.bringSnapshot(this.messageOf(slice), history);
  }

  private resend(subscription: Subscription): void {
    this.shared.counts.snapshots.slow += 1;
    this.readAgain(subscription);
    subscription.session.send(this.messageOf(this.slice(subscription).slice));
  }

  private messageOf(slice: StateSlice) {
    const { cell, position } = this.shared;
    const data = cell === undefined ? slice : { cell, ...slice };
    return { type: 'state', channel: this.channel.name, ...position, data };
  }
}

/** Whether a history has everything after a position. */
function isWhole(position: Position | undefined, history: History): boolean {
  if (!isContinuedBy(position, history)) return false;
  const { publications, top } = history;
  return (
    publications.length === top.seq - position.seq && (publications[0]?.seq ?? position.seq + 1) === position.seq + 1
  );
}
