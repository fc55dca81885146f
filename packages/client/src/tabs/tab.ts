import type { Clock, Page, SocketConstructor } from '../environment.js';
import { isObject } from '../incoming.js';
import { Hub } from './hub.js';
import type { Channel, FromHub, Locks, ToHub } from './messages.js';

export interface TabSetup {
  /** Names the user and the server: tabs with the same name share a connection. */
  readonly name: string;
  readonly url: string;
  readonly WebSocket: SocketConstructor;
  readonly locks: Locks;
  readonly channel: Channel;
  readonly clock: Clock;
  readonly random: () => number;
  readonly page: Page | undefined;
}

/** A socket of this tab. */
interface Member {
  readonly protocols: readonly string[];
  /** Resolves when it is closed. */
  readonly over: Promise<void>;
  receive(message: Exclude<FromHub, { kind: 'leads' }>): void;
  /** Another tab leads now. */
  restart(): void;
}

/** A leader that does not answer this often is frozen, and loses its lock. */
const MISSES_BEFORE_STEALING = 2;

/** This tab among those that share a connection. One of them leads: it holds the lock. */
export class Tab {
  private readonly _sockets = new Map<string, Member>();
  private _hub: Hub | undefined;
  private _release: (() => void) | undefined;
  private _isWaiting = false;
  private _misses = 0;

  constructor(readonly setup: TabSetup) {
    setup.channel.onmessage = ({ data }: { readonly data: FromHub | ToHub }) => this._onMessage(data);
    // A frozen tab can lead nobody.
    setup.page?.listen((event) => {
      if (event === 'gone') this._stepDown();
      else if (this._sockets.size > 0) this._queueUp(false);
    });
  }

  add(id: string, socket: Member): void {
    this._sockets.set(id, socket);
    this._queueUp(false);
    const { locks, name } = this.setup;
    // Held as long as the socket, so that the leader, who waits for it, notices when this tab is gone.
    const hold = (): Promise<void> => {
      this.send({ kind: 'open', socket: id, protocols: socket.protocols });
      return socket.over;
    };
    void locks.request(`${name}#${id}`, {}, hold).catch(() => {});
  }

  remove(id: string): void {
    if (!this._sockets.delete(id)) return;
    this.send({ kind: 'close', socket: id });
  }

  send(message: ToHub): void {
    if (this._hub === undefined) this.setup.channel.postMessage(message);
    else this._toHub(message);
  }

  onReply(): void {
    this._misses = 0;
  }

  onDown(): void {
    this._misses += 1;
    if (this._misses < MISSES_BEFORE_STEALING || this._hub !== undefined) return;
    this._misses = 0;
    this._queueUp(true);
  }

  private _onMessage(message: FromHub | ToHub): void {
    if (!isObject(message)) return;
    if (message.kind === 'open' || message.kind === 'frame' || message.kind === 'close') this._toHub(message);
    else if (message.kind !== 'leads') this._sockets.get(message.socket)?.receive(message);
    else {
      // This tab has hung, and lost its lock meanwhile.
      this._hub?.drop();
      this._hub = undefined;
      for (const socket of this._sockets.values()) socket.restart();
    }
  }

  private _toHub(message: ToHub): void {
    const { _hub: hub } = this;
    if (hub === undefined) return;
    hub.receive(message);
    if (message.kind !== 'open') return;
    const { locks, name } = this.setup;
    const { socket } = message;
    void locks.request(`${name}#${socket}`, {}, async () => hub.leave(socket)).catch(() => {});
  }

  /** Waits for the lock, or takes it from a tab that does not answer. */
  private _queueUp(steal: boolean): void {
    if (this._hub !== undefined || (this._isWaiting && !steal)) return;
    this._isWaiting = true;
    const lead = (): Promise<void> =>
      new Promise((resolve) => {
        this._release = resolve;
        this._lead();
      });
    this.setup.locks.request(this.setup.name, steal ? { steal } : {}, lead).then(
      () => (this._isWaiting = false),
      (error: unknown) => this._onLockLost(error),
    );
  }

  private _lead(): void {
    const { url, WebSocket, channel } = this.setup;
    this._hub = new Hub(url, WebSocket, (message) => {
      const own = 'socket' in message ? this._sockets.get(message.socket) : undefined;
      if (own && message.kind !== 'leads') queueMicrotask(() => own.receive(message));
      else channel.postMessage(message);
    });
    channel.postMessage({ kind: 'leads' } satisfies FromHub);
    for (const socket of this._sockets.values()) socket.restart();
  }

  private _stepDown(): void {
    this._hub?.end({ code: 1006, reason: 'The tab that leads is put away' });
    this._hub = undefined;
    this._release?.();
    this._release = undefined;
  }

  private _onLockLost(error: unknown): void {
    this._isWaiting = false;
    // Locks are not for this page, as in a sandboxed frame: it leads alone.
    if ((error as Partial<Error> | undefined)?.name !== 'AbortError') return this._lead();
    this._hub?.end({ code: 1006, reason: 'Another tab leads' });
    this._hub = undefined;
  }
}
