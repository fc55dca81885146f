import { DEFAULT_SUBPROTOCOL } from '@gatehouse/protocol';
import type { Socket } from '../environment.js';
import type { FromHub } from './messages.js';
import type { Tab } from './tab.js';

const ANSWER_WITHIN_MS = 3_000;

/** A WebSocket whose connection is that of the tab that leads. */
export class SharedSocket implements Socket {
  binaryType = 'arraybuffer';
  readonly bufferedAmount = 0;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  /** Resolves when it is closed. */
  readonly over: Promise<void>;
  readonly protocols: readonly string[];
  private readonly _id: string;
  private _endOver: () => void = () => {};
  private _timer: unknown;
  private _state: 'opening' | 'open' | 'closed' = 'opening';

  constructor(
    private readonly _tab: Tab,
    protocols: readonly string[],
  ) {
    // MessagePack would have to be unpacked for each tab, and so would lists, whose messages are for different tabs.
    const at = protocols.indexOf(DEFAULT_SUBPROTOCOL);
    if (at < 0) throw new TypeError('tabs share JSON only');
    this.protocols = protocols.slice(at);
    const { random, clock } = _tab.setup;
    this._id = random().toString(36).slice(2, 10);
    this.over = new Promise((resolve) => (this._endOver = resolve));
    this._timer = clock.setTimeout(() => {
      _tab.onDown();
      this._finish({ code: 1006, reason: 'No tab answers' });
    }, ANSWER_WITHIN_MS);
    _tab.add(this._id, this);
  }

  send(data: string | Uint8Array): void {
    if (this._state !== 'open') throw new Error('not open');
    this._tab.send({ kind: 'frame', socket: this._id, data: String(data) });
  }

  close(): void {
    if (this._state === 'closed') return;
    this._leave();
  }

  receive(message: Exclude<FromHub, { kind: 'leads' }>): void {
    if (this._state === 'closed') return;
    if (message.kind === 'opened') {
      this._tab.setup.clock.clearTimeout(this._timer);
      this._tab.onReply();
      this._state = 'open';
      this._fire(this.onopen, {});
    } else if (message.kind === 'received') this._fire(this.onmessage, { data: message.data });
    else this._finish(message);
  }

  /** Another tab leads now: what was open there is lost, what was about to open is asked for again. */
  restart(): void {
    if (this._state === 'opening') this._tab.send({ kind: 'open', socket: this._id, protocols: this.protocols });
    else this._finish({ code: 1006, reason: 'Another tab leads' });
  }

  private _finish({ code, reason }: { readonly code: number; readonly reason: string }): void {
    if (this._state === 'closed') return;
    this._leave();
    this._fire(this.onclose, { code, reason });
  }

  private _leave(): void {
    this._state = 'closed';
    this._tab.setup.clock.clearTimeout(this._timer);
    this._endOver();
    this._tab.remove(this._id);
  }

  private _fire(handler: ((event: never) => void) | null, event: object): void {
    handler?.(event as never);
  }
}
