import { isRetryable, type Position } from '@gatehouse/protocol';
import type { Client } from '../client.js';
import type { Environment } from '../environment.js';
import { failure, GatehouseError } from '../errors.js';
import { guard } from '../guard.js';
import { isObject, type Incoming } from '../incoming.js';
import { Observable } from '../observable.js';
import { isWithin, LOST, nobody, RETRIED, RETRY_MS, type Part } from './state-replies.js';
import { AreaView, type Boxes } from './area-view.js';
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
  private readonly _boxes: Boxes;
  private _view: AreaView | undefined;
  private _retry: unknown;

  /** A handler of errors that throws has nobody to tell. */
  private readonly _tell = (error: GatehouseError): void => guard(() => this._options.onError?.(error), nobody);

  constructor(
    private readonly _client: Client & Pick<Environment, 'clock'>,
    readonly name: string,
    private readonly _options: ChannelStateOptions,
  ) {
    this._store = new Observable<ChannelStateSnapshot>({ state: 'waiting', values: this.values }, this._tell);
    this._boxes = { box: _options.area };
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
    this._boxes.box = area;
    void this._view?.look();
  }

  set(key: string, patch: unknown, { ifVersion }: StateChangeOptions = {}): Promise<unknown> {
    return this._change('state.set', { key, patch, ifVersion });
  }

  remove(key: string, { ifVersion }: StateChangeOptions = {}): Promise<unknown> {
    return this._change('state.remove', { key, ifVersion });
  }

  close(): void {
    for (const end of this._ends) end();
    this._leave();
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
    this._client.clock.clearTimeout(this._retry);
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
      if (round === this._round) this._onFailed(thrown);
    }
  }

  private _onFailed(thrown: unknown): void {
    const error = thrown instanceof GatehouseError ? thrown : failure('BAD_MESSAGE', thrown);
    const { code } = error;
    // The next connection subscribes.
    if (LOST.includes(code)) return;
    if (!isRetryable(code) && !RETRIED.includes(code)) return this._refuse(error);
    this._position = undefined;
    this._tell(error);
    this._retry = this._client.clock.setTimeout(() => void this._follow(), RETRY_MS);
  }

  private async _load(round: number): Promise<void> {
    const reply = await this._ask('subscribe', { since: this._position });
    if (round !== this._round) return;
    if (this._boxes.box) return this._begin();
    const { recovered, publications = [], epoch, seq, state } = reply;
    if (!recovered && !isObject(state)) throw failure('NO_STATE');
    if (!recovered) this._replace(reply);
    for (const publication of publications) this._changed(this._table.apply(publication.data, publication.seq));
    if (epoch === undefined || seq === undefined) throw new TypeError('position');
    this._position = { epoch, seq };
    // The reply has what came before it.
    this._before(reply);
    await this._loadRest(round, reply.more === true);
  }

  private _begin(): Promise<void> {
    const ifCurrent = (step: () => void): void => void (view === this._view && step());
    const view = new AreaView({
      values: this.values,
      boxes: this._boxes,
      ask: (type, data) => this._ask(type, data),
      changed: (change) =>
        ifCurrent(() => {
          if (this.getSnapshot().state !== 'live') this._become('live');
          this._changed(change);
        }),
      unfit: (error, isLast) =>
        ifCurrent(() => {
          if (isLast) this._become('refused', error);
          this._tell(error);
        }),
      failed: (thrown) => ifCurrent(() => this._onFailed(thrown)),
    });
    this._view = view;
    return view.look();
  }

  /** Reads the parts that are left, and what came meanwhile, in order. */
  private async _loadRest(round: number, hasMore: boolean): Promise<void> {
    for (let more = hasMore; ;) {
      const part = more ? await this._ask('state.next', {}) : undefined;
      if (round !== this._round) return;
      const due = part ? this._before(part) : (this._held ?? []).splice(0, 1);
      if (!part && due.length === 0) break;
      more = part?.more === true;
      // If the state was sent again meanwhile, it has parts of its own.
      for (const message of due) if (this._accept(message)) more = true;
      if (part) this._changed(this._table.take(part, false));
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
      if (this._view.hear(message)) void this._view.look();
    } else if (this._held) this._held.push(message);
    else if (this._accept(message)) {
      this._held = [];
      const round = ++this._round;
      this._become('loading');
      this._loadRest(round, true).catch((error: unknown) => {
        if (round === this._round) this._onFailed(error);
      });
    }
  }

  /** Takes out of what is held what was sent before a part. */
  private _before(part: Part): Incoming[] {
    const held = this._held ?? [];
    return held.splice(0, held.findLastIndex((message) => isWithin(message, part)) + 1);
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

  private _leave(): void {
    this._leaveRound();
    if (this._isOpen) this._client.request('unsubscribe', { channel: this.name }).catch(nobody);
  }

  private _refuse(error: GatehouseError): void {
    this._leave();
    this._position = undefined;
    this._held = [];
    this._become('refused', error);
    this._tell(error);
  }
}
