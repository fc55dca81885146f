import { useEffect, useState } from 'preact/hooks';
import { ApiError, call } from './api.js';

export interface Poll<T> {
  readonly data: T | undefined;
  /** Why the newest attempt failed. `data` is then what was read before, if anything. */
  readonly error: string | undefined;
  /** Reads again at once. */
  readonly refresh: () => void;
}

const EVERY_MS = 2_000;

/** Reads a path of the API again and again, but not while the page is hidden. */
export function usePoll<T>(path: string | undefined, everyMs = EVERY_MS): Poll<T> {
  const [state, setState] = useState<{ path?: string; data?: T; error?: string }>({});
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (path === undefined) return undefined;
    return repeat(everyMs, async (signal) => {
      try {
        const data = await call<T>('GET', path, { signal });
        setState({ path, data });
      } catch (error) {
        if (signal.aborted) return;
        const message = error instanceof ApiError ? error.message : String(error);
        setState((before) => (before.path === path ? { ...before, error: message } : { path, error: message }));
      }
    });
  }, [path, everyMs, turn]);
  const { data, error } = state.path === path ? state : {};
  return { data, error, refresh: () => setTurn((before) => before + 1) };
}

function repeat(everyMs: number, read: (signal: AbortSignal) => Promise<void>): () => void {
  const abort = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isReading = false;
  const next = (): void => {
    if (document.hidden || isReading || abort.signal.aborted) return;
    clearTimeout(timer);
    isReading = true;
    void read(abort.signal).finally(() => {
      isReading = false;
      timer = setTimeout(next, everyMs);
    });
  };
  document.addEventListener('visibilitychange', next);
  next();
  return () => {
    abort.abort();
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', next);
  };
}
