import { useEffect, useState } from 'preact/hooks';
import { ApiError, call } from './api.js';

export interface Poll<T> {
  readonly data: T | undefined;
  /** Why the newest attempt failed. `data` is then what was read before, if anything. */
  readonly error: string | undefined;
  /** Whether it would fail again. It is then not tried again, except by `refresh`. */
  readonly isFinal: boolean;
  /** Reads again at once. */
  readonly refresh: () => void;
}

const EVERY_MS = 2_000;
/** Reads once. */
export const NEVER_MS = 2_147_483_647;

/** Reads a path of the API again and again, but not while the page is hidden. */
export function usePoll<T>(path: string | undefined, everyMs = EVERY_MS): Poll<T> {
  const [state, setState] = useState<{ path?: string; data?: T; error?: string; isFinal?: boolean }>({});
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (path === undefined) return undefined;
    return repeat(everyMs, async (signal) => {
      try {
        const data = await call<T>('GET', path, { signal });
        setState({ path, data });
        return true;
      } catch (error) {
        if (signal.aborted) return false;
        const isFinal = error instanceof ApiError && error.isFinal;
        const failed = { error: error instanceof Error ? error.message : String(error), isFinal };
        setState((before) => (before.path === path ? { ...before, ...failed } : { path, ...failed }));
        return !isFinal;
      }
    });
  }, [path, everyMs, turn]);
  const { data, error, isFinal = false } = state.path === path ? state : {};
  return { data, error, isFinal, refresh: () => setTurn((before) => before + 1) };
}

/** @param read returns whether to read again */
function repeat(everyMs: number, read: (signal: AbortSignal) => Promise<boolean>): () => void {
  const abort = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isReading = false;
  let hasEnded = false;
  const next = (): void => {
    if (document.hidden || isReading || hasEnded || abort.signal.aborted) return;
    clearTimeout(timer);
    void once();
  };
  const once = async (): Promise<void> => {
    isReading = true;
    hasEnded = !(await read(abort.signal)) || everyMs === NEVER_MS;
    isReading = false;
    if (!hasEnded) timer = setTimeout(next, everyMs);
  };
  document.addEventListener('visibilitychange', next);
  next();
  return () => {
    abort.abort();
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', next);
  };
}
