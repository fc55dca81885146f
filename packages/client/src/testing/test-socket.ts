import type { Close } from '../delays.js';
import type { Clock, Socket } from '../environment.js';

/** The other end of a socket. */
export interface Accepting {
  readonly clock: Clock;
  /** Milliseconds for the next message in one direction. */
  latency(): number;
  /** Counts the times at which the network went dead: what was connected then stays dead. */
  readonly deaths: number;
  readonly isDead: boolean;
  onConnect(socket: TestSocket): void;
  onFrame(socket: TestSocket, frame: string): void;
  onGone(socket: TestSocket): void;
}

/** A WebSocket without a network. Messages arrive late, and in order. */
export class TestSocket implements Socket {
  binaryType = 'arraybuffer';
  bufferedAmount = 0;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  private isOpen = false;
  private isOver = false;
  private readonly deaths: number;
  private readonly due = { up: 0, down: 0 };

  constructor(
    readonly url: string,
    readonly protocols: readonly string[],
    private readonly server: Accepting,
  ) {
    this.deaths = server.deaths;
    this.later('up', () => server.onConnect(this));
  }

  send(frame: string | Uint8Array): void {
    if (!this.isOpen) throw new Error('The socket is not open');
    this.later('up', () => this.server.onFrame(this, String(frame)));
  }

  close(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.isOpen = false;
    this.server.clock.setTimeout(() => this.server.onGone(this), 0);
  }

  /** For the server. */
  accept(): void {
    this.later('down', () => {
      this.isOpen = true;
      this.fire(this.onopen, {});
    });
  }

  push(message: object | string): void {
    const data = typeof message === 'string' ? message : JSON.stringify(message);
    this.later('down', () => this.fire(this.onmessage, { data }));
  }

  end({ code, reason }: Close): void {
    this.later('down', () => {
      this.isOver = true;
      this.isOpen = false;
      this.fire(this.onclose, { code, reason });
      this.server.onGone(this);
    });
  }

  private fire(handler: ((event: never) => void) | null, event: object): void {
    handler?.(event as never);
  }

  private later(way: 'up' | 'down', run: () => void): void {
    const { clock } = this.server;
    const now = clock.elapsed();
    this.due[way] = Math.max(this.due[way], now + this.server.latency());
    clock.setTimeout(() => {
      if (!this.isOver && !this.server.isDead && this.deaths === this.server.deaths) run();
    }, this.due[way] - now);
  }
}
