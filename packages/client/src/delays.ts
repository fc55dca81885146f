import { adviceFor, bannedUntil, reconnectWindow } from '@gatehouse/protocol';

const FIRST_MS = 500;
const LONGEST_MS = 20_000;
const LATER_MS = 5_000;
const BANNED_MS = 30_000;
const LONGEST_BAN_MS = 600_000;
/** Of a drain that announces no window. */
const DEFAULT_WINDOW_MS = 5_000;

/** A random time up to a bound that doubles with each attempt: clients that failed together do not come back together. */
export function backoff(attempt: number, random: () => number): number {
  return random() * Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
}

export interface Close {
  readonly code: number;
  readonly reason: string;
}

export interface RetryPlan {
  /** Milliseconds to wait, or undefined if a retry would fail in the same way. */
  readonly delayMs?: number;
  readonly token?: boolean;
  /** Whether the server asked for the wait: then nothing makes it shorter. */
  readonly asked?: boolean;
}

/** @param now server time, milliseconds since 1970 */
export function planAfter({ code, reason }: Close, attempt: number, now: number, random: () => number): RetryPlan {
  const delayMs = backoff(attempt, random);
  switch (adviceFor(code)) {
    case 'none':
    case 'give-up':
      return {};
    case 'get-a-token':
      return { delayMs: attempt && delayMs, token: true };
    case 'reconnect-within-window':
      return { delayMs: random() * (reconnectWindow(reason) ?? DEFAULT_WINDOW_MS), asked: true };
    case 'reconnect-later':
      return { delayMs: LATER_MS + delayMs, asked: true };
    case 'back-off': {
      const ban = Math.min((bannedUntil(reason) ?? now) - now, LONGEST_BAN_MS);
      return { delayMs: Math.max(BANNED_MS, ban) + random() * BANNED_MS, asked: true };
    }
    default:
      return { delayMs };
  }
}
