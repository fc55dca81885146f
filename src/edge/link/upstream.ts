import { WebSocket } from 'ws';
import type { EdgeEvents, UpstreamState } from '../edge-events.js';
import { EDGE_PROTOCOL } from '../edge-protocol.js';
import {
  loadClientLibrary,
  PUSHES,
  type UpstreamClient,
  type UpstreamError,
  type UpstreamPush,
  type UpstreamRequest,
} from './client-library.js';
import { tokenSource, type TokenSettings } from './token-source.js';

export interface UpstreamSettings extends TokenSettings {
  readonly upstream: string;
}

/** Reads what the centre sends by itself. */
export interface UpstreamListener {
  /** The centre takes messages, in a new session: it has no subscriptions of this edge. */
  greeted(): void;
  linkLost(): void;
  pushed(message: UpstreamPush): void;
  /** A message could not be read. */
  distrust(): void;
}

/** How long the centre is left alone after it has refused this edge, or does not know what an edge is. */
const REFUSED_PAUSE_MS = 30_000;
/** After a busy centre did not answer the greeting. */
const BUSY_PAUSE_MS = 1_000;
const HELLO_TIMEOUT_MS = 15_000;

/** The connection to the centre: the client library, and whether the centre takes what an edge sends. */
export class Upstream {
  state: UpstreamState = 'down';
  /** When `state` began, on the performance.now() clock. */
  since = performance.now();
  /** Why it is not up. */
  detail: string | undefined;
  private client: UpstreamClient | undefined;
  private waiting: (() => void)[] = [];
  private timer: NodeJS.Timeout | undefined;
  private greeting = 0;
  private isClosed = false;
  private readonly listeners: UpstreamListener[] = [];

  constructor(
    private readonly settings: UpstreamSettings,
    private readonly events: EdgeEvents,
  ) {}

  /** @throws UnusableSettings if the client library is not installed */
  async open(load = loadClientLibrary): Promise<void> {
    const openClient = await load();
    const { upstream: url } = this.settings;
    const token = tokenSource(this.settings, (reason) => this.become('refused', reason));
    const client = openClient({ url, token, WebSocket });
    this.client = client;
    client.subscribe(() => this.changed(client));
    client.on('error', ({ code }) => {
      if (this.state === 'down') this.detail = code;
      if (code === 'BAD_MESSAGE') for (const listener of this.listeners) listener.distrust();
    });
    for (const type of PUSHES) {
      client.on(type, (_data, message) => {
        for (const listener of this.listeners) listener.pushed(message);
      });
    }
    client.connect();
  }

  listen(listener: UpstreamListener): void {
    this.listeners.push(listener);
  }

  get isUp(): boolean {
    return this.state === 'up';
  }

  /** Resolves when the centre takes messages, or this node ends. */
  whenUp(): Promise<void> {
    if (this.isUp || this.isClosed) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** @throws UpstreamError */
  request(type: string, data: unknown, options: UpstreamRequest): Promise<unknown> {
    if (this.client === undefined) throw new Error('the connection to the centre was not opened');
    return this.client.request(type, data, options);
  }

  /** The centre said that it takes nothing from this edge: it is asked again later. */
  turnedAway(error: UpstreamError): void {
    this.pauseAfter(error);
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.client?.close();
    this.wake();
  }

  private changed(client: UpstreamClient): void {
    const { state, close } = client.getSnapshot();
    if (this.isClosed) return;
    if (state === 'open') return void this.greet();
    this.greeting += 1;
    for (const listener of this.listeners) listener.linkLost();
    if (state === 'connecting' || state === 'idle') return;
    const reason = close === undefined ? undefined : `${close.code} ${close.reason}`.trim();
    if (this.state === 'up' || this.state === 'unsupported') this.become('down', reason);
    // It has given up for good, which an edge never does.
    if (state === 'closed') {
      this.become('refused', reason);
      this.later(() => client.connect());
    }
  }

  /** Asks whether this is a centre, and of which version. */
  private async greet(): Promise<void> {
    this.greeting += 1;
    const { greeting } = this;
    clearTimeout(this.timer);
    try {
      await this.request('edge.hello', { protocol: EDGE_PROTOCOL }, { timeoutMs: HELLO_TIMEOUT_MS });
      if (this.greeting !== greeting) return;
      this.become('up', undefined);
      for (const listener of this.listeners) listener.greeted();
    } catch (error) {
      if (this.greeting === greeting && !this.isClosed) this.pauseAfter(error as UpstreamError);
    }
  }

  private pauseAfter({ code, message }: UpstreamError): void {
    const state = STATES[code] ?? 'down';
    this.become(state, `${code}: ${message}`);
    this.later(() => void this.greet(), state === 'down' ? BUSY_PAUSE_MS : REFUSED_PAUSE_MS);
  }

  private later(run: () => void, ms = REFUSED_PAUSE_MS): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(run, ms).unref();
  }

  private become(state: UpstreamState, detail: string | undefined): void {
    this.detail = detail;
    if (state === this.state) return;
    this.state = state;
    this.since = performance.now();
    this.events.emit('upstream', state, detail);
    if (state === 'up') this.wake();
  }

  private wake(): void {
    const { waiting } = this;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }
}

const STATES: Readonly<Record<string, UpstreamState>> = {
  UNKNOWN_MESSAGE_TYPE: 'unsupported',
  UNSUPPORTED_VERSION: 'unsupported',
  VALIDATION_FAILED: 'unsupported',
  FORBIDDEN: 'refused',
  UNAUTHENTICATED: 'refused',
};
