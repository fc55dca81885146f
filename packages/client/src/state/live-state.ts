import { isRetryable, type Position } from '@gatehouse/protocol';
import type { Client } from '../client.js';
import { failure, GatehouseError } from '../errors.js';
import { guard } from '../guard.js';
import { isObject, type Incoming } from '../incoming.js';
import { Observable } from '../observable.js';
import { isWithin, LOST, nobody, RETRIED, RETRY_MS, UNFIT, type Part } from './state-replies.js';
import { AreaView } from './area-view.js';
import type {
  ChannelStateOptions,
  ChannelStateSnapshot,
  StateArea,
  StateChange,
  StateChangeOptions,
} from './state-types.js';
import { StateTable } from './state-table.js';

export class LiveState {
  private readonly _table = new StateTable();
  readonly values = this._table.values;
  readonly getSnapshot: () => ChannelStateSnapshot;
  readonly subscribe: (listener: () => void) => () => void;
  private readonly _store: Observable<ChannelStateSnapshot>;
  private readonly _ends: readonly (() => void)[];
  private _position: Position | undefined;
  /** What comes while a part is under way: it belongs before or behind that part. Undefined: live. */
  private _held: Incoming[] | undefined = [];
  /** Replies to older requests count no more. */
  private _round = 0;
  private _isOpen = false;
  private _box: StateArea | undefined;
  private _view: AreaView | undefined;

  /** A handler of errors that throws has nobody to tell. */
  private readonly _tell = (error: GatehouseError): void => guard(() => this._options.onError?.(error), nobody);

  constructor(
    private readonly _client: Client,
    readonly name: string,
    private readonly _options: ChannelStateOptions,
  ) {
    this._store = new Observable<ChannelStateSnapshot>({ state: 'waiting', values: this.values }, this._tell);
    this._box = _options.area;
    this.getSnapshot = this._store.getSnapshot;
    this.subscribe = this._store.subscribe;
    const hear = (_data: unknown, message: Incoming): void => this._hear(message);
    const events = _client as unknown as { on(type: string, handler: typeof hear): () => void };
    this._ends = [
      ...['message', 'state', 'unsubscribed'].map((type) => events.on(type, hear)),
      _client.subscribe(() => this._onConnection()),
    ];
    if (_client.getSnapshot().state === 'idle') _client.connect();
    this._onConnection();
  }

  versionOf(key: string): number {
    return (this._view?.cells ?? this._table).versionOf(key);
  }

  look(area: StateArea): void {
    this._box = area;
    if (this._view) void this._look(this._view, this._view.look(area));
  }

  set(key: string, patch: unknown, { ifVersion }: StateChangeOptions = {}): Promise<unknown> {
    return this._change('state.set', { key, patch, ifVersion });
  }

  remove(key: string, { ifVersion }: StateChangeOptions = {}): Promise<unknown> {
    return this._change('state.remove', { key, ifVersion });
  }

  close(): void {
    for (const end of this._ends) end();
    this._leaveRound();
    if (this._isOpen) this._client.request('unsubscribe', { channel: this.name }).catch(() => {});
    this._isOpen = false;
    this._become('waiting');
  }

  /** A patch that is made twice is as one, but a version holds only once. */
  private _change(
    type: string,
    data: { readonly key: string; readonly patch?: unknown; readonly ifVersion?: number | undefined },
  ): Promise<unknown> {
    const idempotent = data.ifVersion === undefined;
    return this._client.request(type, { channel: this.name, ...data }, { idempotent });
  }

  private _onConnection(): void {
    const isOpen = this._client.getSnapshot().state === 'open';
    if (isOpen === this._isOpen) return;
    this._isOpen = isOpen;
    this._leaveRound();
    if (isOpen) void this._follow();
    else this._become('waiting');
  }

  /** What is under way counts no more. Returns the number of the next round. */
  private _leaveRound(): number {
    this._view = undefined;
    return ++this._round;
  }

  /** Subscribes, until it is live or refused, or the connection ends. */
  private async _follow(): Promise<void> {
    const round = this._leaveRound();
    this._become('loading');
    this._held = [];
    try {
      await this._load(round);
    } catch (thrown) {
      if (round === this._round) this._onFailed(round, thrown);
    }
  }

  private _onFailed(round: number, thrown: unknown): void {
    const error = thrown instanceof GatehouseError ? thrown : failure('BAD_MESSAGE', thrown);
    const { code } = error;
    // The next connection subscribes.
    if (LOST.includes(code)) return;
    if (!isRetryable(code) && !RETRIED.includes(code)) return this._refuse(error);
    this._position = undefined;
    this._tell(error);
    setTimeout(() => round === this._round && void this._follow(), RETRY_MS);
  }

  private async _load(round: number): Promise<void> {
    const reply = await this._ask('subscribe', { since: this._position });
    if (round !== this._round) return;
    if (this._box) return this._begin(this._box);
    const { recovered, publications = [], epoch, seq } = reply;
    if (!recovered) this._replace(reply);
    for (const publication of publications) this._changed(this._table.apply(publication.data, publication.seq));
    if (epoch === undefined || seq === undefined) throw new TypeError('position');
    this._position = { epoch, seq };
    // The reply has what came before it.
    this._held = this._held?.filter((message) => !isWithin(message, reply));
    await this._loadRest(round, reply.more === true);
  }

  private _begin(box: StateArea): Promise<void> {
    const changed = (change: StateChange): void => {
      if (view !== this._view) return;
      if (this.getSnapshot().state === 'loading') this._become('live');
      this._changed(change);
    };
    const ask = (type: string, data: object): Promise<Part> => this._ask(type, data);
    const view = new AreaView({ values: this._table.values, ask, changed }, box);
    this._view = view;
    return this._look(view, view.again());
  }

  /** Takes care of how a look ends. */
  private async _look(view: AreaView, looking: Promise<void>): Promise<void> {
    try {
      await looking;
    } catch (thrown) {
      if (view !== this._view) return;
      if (thrown instanceof GatehouseError && UNFIT.includes(thrown.code)) this._tell(thrown);
      else this._onFailed(this._round, thrown);
    }
  }

  /** Reads the parts that are left, and what came meanwhile, in order. */
  private async _loadRest(round: number, hasMore: boolean): Promise<void> {
    let more = hasMore;
    for (;;) {
      if (more) {
        const part = await this._ask('state.next', {});
        if (round !== this._round) return;
        this._release((message) => isWithin(message, part));
        this._changed(this._table.take(part, false));
        more = part.more === true;
        continue;
      }
      const [first, ...rest] = this._held ?? [];
      if (first === undefined) break;
      this._held = rest;
      more = this._accept(first);
    }
    this._held = undefined;
    this._become('live');
  }

  private async _ask(type: string, data: object): Promise<Part> {
    const reply: unknown = await this._client.request(type, { channel: this.name, ...data });
    if (!isObject(reply)) throw new TypeError(type);
    return reply;
  }

  private _hear(message: Incoming): void {
    if (message.channel !== this.name || !this._isOpen) return;
    const { type, data } = message;
    if (type === 'unsubscribed') {
      const { lost, code = 'FORBIDDEN', message: text = code } = (data ?? {}) as Record<string, string>;
      if (lost !== 'presence') this._refuse(new GatehouseError(code, text));
    } else if (this._view) {
      if (this._view.hear(message)) void this._look(this._view, this._view.again());
    } else if (this._held) this._held.push(message);
    else if (this._accept(message)) {
      this._held = [];
      const round = ++this._round;
      this._become('loading');
      this._loadRest(round, true).catch((error: unknown) => {
        if (round === this._round) this._onFailed(round, error);
      });
    }
  }

  private _release(isDue: (message: Incoming) => boolean): void {
    const held = this._held ?? [];
    this._held = held.filter((message) => !isDue(message));
    for (const message of held) if (isDue(message)) this._accept(message);
  }

  /** Returns whether more values must be asked for. */
  private _accept({ type, epoch, seq, data }: Incoming): boolean {
    if (epoch === undefined || seq === undefined) return false;
    this._position = { epoch, seq };
    if (type === 'message') this._changed(this._table.apply(data, seq));
    else this._replace(isObject(data) ? data : {});
    return type === 'state' && isObject(data) && data.more === true;
  }

  private _replace(part: Part): void {
    this._table.clear();
    this._changed(this._table.take(part, true));
  }

  private _changed(change: StateChange): void {
    guard(() => this._options.onChange?.(change), this._tell);
    this._store.set({ ...this.getSnapshot() });
  }

  private _become(state: ChannelStateSnapshot['state'], error?: GatehouseError): void {
    this._store.set({ state, values: this.values, error });
  }

  private _refuse(error: GatehouseError): void {
    this._leaveRound();
    this._position = undefined;
    this._held = [];
    this._become('refused', error);
    this._tell(error);
  }
}
