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
  private readonly id: string;
  private endOver: () => void = () => {};
  private timer: unknown;
  private state: 'opening' | 'open' | 'closed' = 'opening';

  constructor(
    private readonly tab: Tab,
    readonly protocols: readonly string[],
  ) {
    const { random, clock } = tab.setup;
    this.id = Math.floor(random() * 36 ** 8).toString(36);
    this.over = new Promise((resolve) => (this.endOver = resolve));
    this.timer = clock.setTimeout(() => {
      tab.onUnanswered();
      this.finish({ code: 1006, reason: 'No tab answers' });
    }, ANSWER_WITHIN_MS);
    tab.add(this.id, this);
  }

  send(data: string | Uint8Array): void {
    if (typeof data !== 'string') throw new TypeError('Tabs share JSON connections only');
    if (this.state !== 'open') throw new Error('The socket is not open');
    this.tab.send({ kind: 'frame', socket: this.id, data });
  }

  close(): void {
    if (this.state === 'closed') return;
    this.leave();
  }

  receive(message: Exclude<FromHub, { kind: 'leads' }>): void {
    if (this.state === 'closed') return;
    if (message.kind === 'opened') {
      this.tab.setup.clock.clearTimeout(this.timer);
      this.tab.onAnswered();
      this.state = 'open';
      this.fire(this.onopen, {});
    } else if (message.kind === 'received') this.fire(this.onmessage, { data: message.data });
    else this.finish(message);
  }

  /** Another tab leads now: what was open there is lost, what was about to open is asked for again. */
  restart(): void {
    if (this.state === 'opening') this.tab.send({ kind: 'open', socket: this.id, protocols: this.protocols });
    else this.finish({ code: 1006, reason: 'Another tab leads' });
  }

  private finish({ code, reason }: { readonly code: number; readonly reason: string }): void {
    if (this.state === 'closed') return;
    this.leave();
    this.fire(this.onclose, { code, reason });
  }

  private leave(): void {
    this.state = 'closed';
    this.tab.setup.clock.clearTimeout(this.timer);
    this.endOver();
    this.tab.remove(this.id);
  }

  private fire(handler: ((event: never) => void) | null, event: object): void {
    handler?.(event as never);
  }
}
