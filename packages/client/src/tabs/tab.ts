import type { Clock, Page, SocketConstructor } from '../environment.js';
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
  private readonly sockets = new Map<string, Member>();
  private hub: Hub | undefined;
  private release: (() => void) | undefined;
  private isWaiting = false;
  private misses = 0;

  constructor(readonly setup: TabSetup) {
    setup.channel.onmessage = ({ data }: { readonly data: FromHub | ToHub }) => this.onMessage(data);
    // A frozen tab can lead nobody.
    setup.page?.listen((event) => {
      if (event === 'gone') this.stepDown();
      else if (this.sockets.size > 0) this.queueUp(false);
    });
  }

  add(id: string, socket: Member): void {
    this.sockets.set(id, socket);
    this.queueUp(false);
    // Held as long as the socket, so that the leader notices when this tab is gone.
    void this.setup.locks.request(`${this.setup.name}#${id}`, {}, () => socket.over).catch(() => {});
    this.send({ kind: 'open', socket: id, protocols: socket.protocols });
  }

  remove(id: string): void {
    if (!this.sockets.delete(id)) return;
    this.send({ kind: 'close', socket: id });
  }

  send(message: ToHub): void {
    if (this.hub === undefined) this.setup.channel.postMessage(message);
    else this.toHub(message);
  }

  onAnswered(): void {
    this.misses = 0;
  }

  onUnanswered(): void {
    this.misses += 1;
    if (this.misses < MISSES_BEFORE_STEALING || this.hub !== undefined) return;
    this.misses = 0;
    this.queueUp(true);
  }

  private onMessage(message: FromHub | ToHub): void {
    if (message.kind === 'open' || message.kind === 'frame' || message.kind === 'close') this.toHub(message);
    else if (message.kind !== 'leads') this.sockets.get(message.socket)?.receive(message);
    else {
      this.hub = undefined;
      for (const socket of this.sockets.values()) socket.restart();
    }
  }

  private toHub(message: ToHub): void {
    const { hub } = this;
    if (hub === undefined) return;
    hub.receive(message);
    if (message.kind !== 'open') return;
    const { locks, name } = this.setup;
    const { socket } = message;
    void locks.request(`${name}#${socket}`, {}, async () => hub.leave(socket)).catch(() => {});
  }

  /** Waits for the lock, or takes it from a tab that does not answer. */
  private queueUp(steal: boolean): void {
    if (this.hub !== undefined || (this.isWaiting && !steal)) return;
    this.isWaiting = true;
    const lead = (): Promise<void> =>
      new Promise((resolve) => {
        this.release = resolve;
        this.lead();
      });
    this.setup.locks.request(this.setup.name, steal ? { steal } : {}, lead).then(
      () => (this.isWaiting = false),
      () => this.onStolen(),
    );
  }

  private lead(): void {
    const { url, WebSocket, channel } = this.setup;
    this.hub = new Hub(url, WebSocket, (message) => {
      const own = 'socket' in message ? this.sockets.get(message.socket) : undefined;
      if (own && message.kind !== 'leads') queueMicrotask(() => own.receive(message));
      else channel.postMessage(message);
    });
    channel.postMessage({ kind: 'leads' } satisfies FromHub);
    for (const socket of this.sockets.values()) socket.restart();
  }

  private stepDown(): void {
    this.hub?.end({ code: 1006, reason: 'The tab that leads is put away' });
    this.hub = undefined;
    this.release?.();
    this.release = undefined;
  }

  private onStolen(): void {
    this.isWaiting = false;
    this.hub?.end({ code: 1006, reason: 'Another tab leads' });
    this.hub = undefined;
  }
}
