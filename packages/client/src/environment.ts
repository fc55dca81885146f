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

interface Globals {
  readonly WebSocket?: SocketConstructor;
  readonly fetch?: Fetch;
  readonly document?: { readonly visibilityState: string };
  addEventListener?(type: string, listener: () => void, options: { capture: true; signal: AbortSignal }): void;
}

export function environmentOf({ clock, random, WebSocket, fetch, page }: Partial<Environment>): Environment {
  const globals = globalThis as Globals;
  return {
    clock: clock ?? realClock,
    random: random ?? Math.random,
    WebSocket: WebSocket ?? globals.WebSocket,
    fetch: fetch ?? globals.fetch?.bind(globalThis),
    page: page ?? pageOf(globals),
  };
}

const PAGE_EVENTS: Readonly<Record<string, PageEvent>> = {
  visibilitychange: 'visible',
  online: 'online',
  offline: 'offline',
  pageshow: 'shown',
  pagehide: 'gone',
  resume: 'resumed',
  freeze: 'gone',
};

/** The page that this code runs in, if there is one. */
function pageOf(globals: Globals): Page | undefined {
  const { document } = globals;
  if (!document || !globals.addEventListener) return undefined;
  return {
    get hidden() {
      return document.visibilityState === 'hidden';
    },
    listen(on) {
      const abort = new AbortController();
      for (const [type, event] of Object.entries(PAGE_EVENTS)) {
        const listener = (): void => {
          if (event !== 'visible' || !this.hidden) on(event);
        };
        // On their way to the document, all of them pass the window.
        globals.addEventListener?.(type, listener, { capture: true, signal: abort.signal });
      }
      return () => abort.abort();
    },
  };
}
