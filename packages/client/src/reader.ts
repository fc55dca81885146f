import type { Gap, Position } from '@gatehouse/protocol';
import { failure } from './errors.js';
import { Loader, type LoaderHost, type LoadFunction, type LoadReason } from './loader.js';
import { covers, isBefore, isMissed } from './positions.js';
import type { ChannelPublication, SubscribedState } from './subscribe-reply.js';

export interface ReaderHost extends LoaderHost {
  readonly options: LoaderHost['options'] & { readonly load?: LoadFunction | undefined };
  onMessage(publication: ChannelPublication): void;
  /** Publications are lost, and nothing can load them. */
  onGap(gap: Gap): void;
  /** The reader went back to an older position: what follows it must be sent again. */
  onBehind(): void;
}

const MOST_BUFFERED = 1_000;
/** If what is loaded is always older than what the channel still has, it will not get newer. */
const MOST_STALE_LOADS = 3;

/** One reader of a channel: what it has seen, what it loads, and what waits behind that. */
export class Reader {
  /** The newest publication that was shown or waits: the next subscribe goes on from here. */
  top: Position | undefined;
  private _isBehind = false;
  private _buffer: ChannelPublication[] = [];
  private _hasOverflowed = false;
  /** Everything after it is in the buffer; `start`: everything since the load began. */
  private _base: Position | 'start' | undefined;
  private _staleLoads = 0;
  private readonly _loader: Loader | undefined;

  constructor(private readonly _host: ReaderHost) {
    const { load } = _host.options;
    this._loader = load && new Loader(load, _host, (position) => this._onLoaded(position));
  }

  get loading(): boolean {
    return this._loader?.loading ?? false;
  }

  /** @param at where the channel stands, if it is subscribed already */
  start(at: Position | 'start' | undefined): void {
    this._base = at;
    if (at !== 'start') this.top = at;
    this._loader?.begin('first');
  }

  /** @param isUnordered whether one before it may be on its way */
  accept(publication: ChannelPublication, isUnordered?: boolean): void {
    const { epoch, seq } = publication;
    if (this._isBehind) return;
    if (epoch !== undefined && seq !== undefined) {
      const { top } = this;
      const ahead = top?.epoch === epoch ? seq - top.seq : 1;
      if (ahead < 1) return;
      if (isUnordered && ahead > 1) return this._askAgain();
      this.top = { epoch, seq };
    }
    if (this.loading) this._hold(publication);
    else this._host.onMessage(publication);
  }

  onReply(state: SubscribedState, isFirst: boolean): void {
    const { position } = state;
    const { top } = this;
    this._isBehind = false;
    if (!position) this._onSubscribedWithoutHistory(isFirst);
    else if (!top) this._base = position;
    else if (isBefore(top, state.since, position)) return this._askAgain();
    else this._goOn(top, position, state);
    this.top = position;
    this._loader?.onLive();
    this._host.onChange();
  }

  onGap(gap: Gap, epoch: string): void {
    const end: Position = { epoch, seq: gap.to };
    if (this.top && !isMissed(gap, this.top, end)) return;
    this._onGap(gap, end);
    this.top = end;
  }

  /** Something of this channel may have arrived that could not be read. */
  distrust(): void {
    if (!this._loader) return;
    this._holdFrom(this.top ?? 'start');
    this._loader.again('gap');
  }

  stop(): void {
    this._loader?.stop();
    this._buffer = [];
  }

  private _goOn(top: Position, position: Position, { since, gap, publications }: SubscribedState): void {
    const { epoch } = position;
    let last = top.seq;
    // A position of a third epoch cannot be compared with either.
    const isForeign = top.epoch !== since?.epoch && top.epoch !== epoch;
    const lost = isForeign ? { from: null, to: position.seq } : gap;
    if (lost && isMissed(lost, top, position)) {
      this._onGap(lost, { epoch, seq: lost.to });
      if (this.loading) last = lost.to;
      else if (lost.from === null) last = -1;
    } else this._staleLoads = 0;
    this.top = { epoch, seq: last };
    // In a reply, positions of two epochs are of one series, unless a gap says otherwise.
    for (const publication of publications) this.accept(publication);
  }

  private _onSubscribedWithoutHistory(isFirst: boolean): void {
    this._base = 'start';
    // Whatever was published while there was no connection is lost, and nobody says so.
    if (!isFirst) this._loader?.again('reconnect');
  }

  private _onGap(gap: Gap, end: Position): void {
    if (!this._loader) return this._host.onGap(gap);
    if (this._staleLoads >= MOST_STALE_LOADS) {
      this._staleLoads = 0;
      return this._host.onError(failure('LOAD_TOO_OLD'));
    }
    this._holdFrom(end);
    this._loader.again('gap');
  }

  private _holdFrom(base: Position | 'start'): void {
    this._buffer = [];
    this._hasOverflowed = false;
    this._base = base;
  }

  private _hold(publication: ChannelPublication): void {
    if (this._buffer.push(publication) <= MOST_BUFFERED) return;
    // A channel with history sends it again from the position that is loaded.
    this._holdFrom(this.top ?? 'start');
    this._hasOverflowed = true;
  }

  private _onLoaded(position: Position | undefined): LoadReason | undefined {
    const { _base: base, _hasOverflowed: hasOverflowed } = this;
    const { isEarly = false, isOld = false } = this._loader ?? {};
    if (position && base !== 'start') {
      if (covers(position, base)) return this._finish(position);
      return isOld ? 'gap' : this._goBackTo(position);
    }
    // A channel without history, or a source without positions: what arrived since the load began is shown after it.
    this._hasOverflowed = false;
    return !base || isEarly || isOld || hasOverflowed ? 'gap' : this._finish(undefined);
  }

  private _finish(position: Position | undefined): undefined {
    const held = this._buffer;
    this._buffer = [];
    this._loader?.end();
    if (position && covers(position, this.top)) this.top = position;
    for (const publication of held) {
      const { epoch = '', seq = 0 } = publication;
      if (!position || !covers(position, { epoch, seq })) this._host.onMessage(publication);
    }
  }

  private _goBackTo(position: Position): undefined {
    this.top = position;
    this._buffer = [];
    this._loader?.end();
    if (!this._host.isLive()) return;
    this._staleLoads += 1;
    this._askAgain();
  }

  private _askAgain(): void {
    this._isBehind = true;
    this._host.onBehind();
  }
}
