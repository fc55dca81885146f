import type { Gap, Position, Publisher } from '@gatehouse/protocol';
import type { Environment } from './environment.js';
import { GatehouseError } from './errors.js';
import { Loader, type Load, type LoadReason } from './loader.js';

export interface ChannelPublication<D = unknown> {
  readonly data: D;
  readonly from?: Publisher | undefined;
  /** When it was published, milliseconds since 1970. */
  readonly ts?: number | undefined;
  /** Absent in a channel without history. */
  readonly epoch?: string | undefined;
  readonly seq?: number | undefined;
}

export interface ReaderOptions<D = unknown> {
  /**
   * Loads the state that the channel is about. Returns the position that was read BEFORE the data, if its source knows one.
   * Runs first and after every gap; publications wait behind it.
   */
  readonly load?: ((load: Load) => Promise<Position | undefined | void>) | undefined;
  readonly onMessage?: ((publication: ChannelPublication<D>) => void) | undefined;
  /** Called if publications are lost and there is no `load`. */
  readonly onGap?: ((gap: Gap) => void) | undefined;
  /** How long `load` may take before it is called again. Default: 30 s. */
  readonly loadTimeoutMs?: number | undefined;
}

export interface ReaderHost {
  readonly environment: Environment;
  /** Whether the channel is subscribed now. */
  readonly isLive: () => boolean;
  /** The reader went back to an older position: what follows it must be sent again. */
  readonly onBehind: () => void;
  readonly onChange: () => void;
  readonly onError: (error: GatehouseError) => void;
}

/** The answer to a subscribe, as readers see it. Without history there is no position. */
export interface SubscribedState {
  readonly position: Position | undefined;
  /** Where the server was asked to go on from. */
  readonly since: Position | undefined;
  readonly gap: Gap | undefined;
  readonly publications: readonly ChannelPublication[];
}

const MOST_BUFFERED = 1_000;
/** If what is loaded is always older than what the channel still has, it will not get newer. */
const MOST_STALE_LOADS = 3;

/** One reader of a channel: what it has seen, what it loads, and what waits behind that. */
export class Reader {
  /** The newest publication that was shown or waits: the next subscribe goes on from here. */
  top: Position | undefined;
  private isBehind = false;
  private buffer: ChannelPublication[] = [];
  private hasOverflowed = false;
  /** Everything after it is in the buffer; `start`: everything since the load began. */
  private base: Position | 'start' | undefined;
  private staleLoads = 0;
  private isStopped = false;
  private readonly loader: Loader | undefined;

  constructor(
    private readonly options: ReaderOptions,
    private readonly host: ReaderHost,
  ) {
    const { load, loadTimeoutMs } = options;
    const { onChange, onError, isLive } = host;
    const { environment } = host;
    const events = { onLoaded: this.onLoaded.bind(this), onChange, onError, isLive };
    this.loader = load && new Loader({ load, loadTimeoutMs, environment }, events);
  }

  get isLoading(): boolean {
    return this.loader?.isLoading ?? false;
  }

  /** @param at where the channel stands, if it is subscribed already */
  start(at: Position | 'start' | undefined): void {
    this.base = at;
    if (typeof at === 'object') this.top = at;
    this.loader?.begin('first');
  }

  accept(publication: ChannelPublication): void {
    const { epoch, seq } = publication;
    if (this.isBehind) return;
    if (epoch !== undefined && seq !== undefined) {
      if (this.top?.epoch === epoch && seq <= this.top.seq) return;
      this.top = { epoch, seq };
    }
    if (this.isLoading) this.hold(publication);
    else this.show(publication);
  }

  onSubscribed(state: SubscribedState, isFirst: boolean): void {
    const { position } = state;
    this.isBehind = false;
    if (position === undefined) this.onSubscribedWithoutHistory(isFirst);
    else if (this.top === undefined) this.base = position;
    else if (isBefore(this.top, state.since, position)) return this.askAgain();
    else this.goOn(this.top, { ...state, position });
    this.top = position;
    this.loader?.onLive();
    this.host.onChange();
  }

  onLiveGap(gap: Gap, epoch: string): void {
    const end: Position = { epoch, seq: gap.to };
    if (this.top !== undefined && !isMissed(gap, this.top, end)) return;
    this.onGap(gap, end);
    this.top = end;
  }

  /** Something of this channel may have arrived that could not be read. */
  distrust(): void {
    if (this.loader === undefined) return;
    this.holdFrom(this.top ?? 'start');
    this.loader.again('gap');
  }

  stop(): void {
    this.isStopped = true;
    this.loader?.stop();
    this.buffer = [];
  }

  private goOn(top: Position, state: SubscribedState & { position: Position }): void {
    const { position, since, publications } = state;
    let last = top.seq;
    // A position of a third epoch cannot be compared with either.
    const isForeign = top.epoch !== since?.epoch && top.epoch !== position.epoch;
    const gap = isForeign ? { from: null, to: position.seq } : state.gap;
    if (gap !== undefined && isMissed(gap, top, position)) {
      this.onGap(gap, { epoch: position.epoch, seq: gap.to });
      if (this.isLoading) last = gap.to;
      else if (gap.from === null) last = -1;
    } else this.staleLoads = 0;
    this.top = { epoch: position.epoch, seq: last };
    // In a reply, positions of two epochs are of one series, unless a gap says otherwise.
    for (const publication of publications) this.accept(publication);
  }

  private onSubscribedWithoutHistory(isFirst: boolean): void {
    this.base = 'start';
    // Whatever was published while there was no connection is lost, and nobody says so.
    if (!isFirst) this.loader?.again('reconnect');
  }

  private onGap(gap: Gap, end: Position): void {
    if (this.loader === undefined) return this.attempt('onGap', () => this.options.onGap?.(gap));
    if (this.staleLoads >= MOST_STALE_LOADS) {
      this.staleLoads = 0;
      this.host.onError(new GatehouseError('LOAD_TOO_OLD', 'What is loaded is older than what the channel still has'));
      return;
    }
    this.holdFrom(end);
    this.loader.again('gap');
  }

  private holdFrom(base: Position | 'start'): void {
    this.buffer = [];
    this.hasOverflowed = false;
    this.base = base;
  }

  private hold(publication: ChannelPublication): void {
    if (this.buffer.length < MOST_BUFFERED) {
      this.buffer.push(publication);
      return;
    }
    // A channel with history sends it again from the position that is loaded.
    this.holdFrom(this.top ?? 'start');
    this.hasOverflowed = true;
  }

  private onLoaded(
    position: Position | undefined,
    { isEarly, isOutdated }: { isEarly: boolean; isOutdated: boolean },
  ): LoadReason | undefined {
    const { base } = this;
    if (position !== undefined && base !== 'start') {
      if (covers(position, base)) return this.finish(position);
      return isOutdated ? 'gap' : this.goBackTo(position);
    }
    // A channel without history, or a source without positions: what arrived since the load began is shown after it.
    const isComplete = base !== undefined && !isEarly && !isOutdated && !this.hasOverflowed;
    this.hasOverflowed = false;
    return isComplete ? this.finish(undefined) : 'gap';
  }

  private finish(position: Position | undefined): undefined {
    const held = this.buffer;
    this.buffer = [];
    this.loader?.end();
    if (position !== undefined && this.top?.epoch === position.epoch && position.seq > this.top.seq)
      this.top = position;
    for (const publication of held) {
      if (position === undefined || isAfter(publication, position)) this.show(publication);
    }
  }

  private goBackTo(position: Position): undefined {
    this.top = position;
    this.buffer = [];
    this.loader?.end();
    if (!this.host.isLive()) return;
    this.staleLoads += 1;
    this.askAgain();
  }

  private askAgain(): void {
    this.isBehind = true;
    this.host.onBehind();
  }

  private show(publication: ChannelPublication): void {
    this.attempt('onMessage', () => this.options.onMessage?.(publication));
  }

  private attempt(what: string, run: () => void): void {
    if (this.isStopped) return;
    try {
      run();
    } catch (cause) {
      this.host.onError(new GatehouseError('HANDLER_FAILED', `${what} threw`, { cause }));
    }
  }
}

/** Whether a reader that has seen everything up to `top` lacks something of the gap. */
function isMissed({ from, to }: Gap, top: Position, now: Position): boolean {
  if (from !== null) return top.seq < to;
  return top.epoch !== now.epoch || top.seq < to || top.seq > now.seq;
}

/** Whether the reader went back while the subscribe was under way, so that the reply lacks what it needs. */
function isBefore(top: Position, since: Position | undefined, now: Position): boolean {
  if (since === undefined) return top.epoch !== now.epoch || top.seq < now.seq;
  return top.epoch === since.epoch && top.seq < since.seq;
}

/** Whether everything after the loaded position is in the buffer. */
function covers(position: Position, base: Position | undefined): boolean {
  return base !== undefined && position.epoch === base.epoch && position.seq >= base.seq;
}

function isAfter({ epoch, seq = 0 }: ChannelPublication, position: Position): boolean {
  return epoch !== position.epoch || seq > position.seq;
}
