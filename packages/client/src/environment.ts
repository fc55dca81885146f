/** Time, as the client reads it. Tests bring one that they move. */
export interface Clock {
  /** Milliseconds since 1970. May jump. */
  now(): number;
  /** Milliseconds since some moment. Never goes back. */
  elapsed(): number;
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

/** What the client needs of a WebSocket: that of browsers, Node 22, Deno and Bun, or of the package `ws`. */
export interface Socket {
  binaryType: string;
  readonly bufferedAmount: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
}

export type SocketConstructor = new (url: string, protocols: string[]) => Socket;

export interface RouteResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  json(): Promise<unknown>;
}

export type Fetch = (url: string, init: { signal: AbortSignal }) => Promise<RouteResponse>;

/** What the page tells: `document` and `window` in one, for tests. Absent where there is no page. */
export interface Page {
  readonly hidden: boolean;
  /** Calls back with `visible`, `online`, `offline`, `shown`, `resumed` or `gone`. Returns the end of it. */
  listen(on: (event: PageEvent) => void): () => void;
}

export type PageEvent = 'visible' | 'online' | 'offline' | 'shown' | 'resumed' | 'gone';

export interface Environment {
  readonly clock: Clock;
  readonly random: () => number;
  readonly WebSocket: SocketConstructor | undefined;
  readonly fetch: Fetch | undefined;
  readonly page: Page | undefined;
}

export const realClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
};

interface EventSource {
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
}

interface Globals extends Partial<EventSource> {
  readonly WebSocket?: SocketConstructor;
  readonly fetch?: Fetch;
  readonly document?: EventSource & { readonly visibilityState: string };
}

export function environmentOf(given: {
  readonly [Part in keyof Environment]?: Environment[Part] | undefined;
}): Environment {
  const globals = globalThis as Globals;
  return {
    clock: given.clock ?? realClock,
    random: given.random ?? Math.random,
    WebSocket: given.WebSocket ?? globals.WebSocket,
    fetch: given.fetch ?? globals.fetch?.bind(globalThis),
    page: given.page ?? pageOf(globals),
  };
}

/** The page that this code runs in, if there is one. */
function pageOf(globals: Globals): Page | undefined {
  const { document } = globals;
  if (document === undefined || globals.addEventListener === undefined) return undefined;
  const window = globals as EventSource;
  return {
    get hidden() {
      return document.visibilityState === 'hidden';
    },
    listen(on) {
      const listeners: [EventSource, string, () => void][] = [
        [document, 'visibilitychange', () => document.visibilityState === 'visible' && on('visible')],
        [document, 'freeze', () => on('gone')],
        [document, 'resume', () => on('resumed')],
        [window, 'online', () => on('online')],
        [window, 'offline', () => on('offline')],
        [window, 'pageshow', () => on('shown')],
        [window, 'pagehide', () => on('gone')],
      ];
      for (const [source, type, listener] of listeners) source.addEventListener(type, listener);
      return () => {
        for (const [source, type, listener] of listeners) source.removeEventListener(type, listener);
      };
    },
  };
}
