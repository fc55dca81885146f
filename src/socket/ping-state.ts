import type { Duplex } from 'node:stream';
import type { PingMark } from './connection-listener.js';
import { trafficOf } from './traffic.js';

/** What a connection keeps of its pings. */
export interface PingState {
  /** Time of the oldest unanswered ping, on the performance.now() clock; 0 if there is none. */
  pingedAt: number;
  /** Bytes on the network before that ping. */
  sentBeforePing: number;
  /** Of the bytes on the network, those that the client has read for certain. */
  readBytes: number;
}

/** A ping is about to be sent. */
export function markPing(
  state: PingState,
  raw: Duplex & { readonly bytesRead?: number },
): Omit<PingMark, 'resumes' | 'progress'> {
  const { bytesOut } = trafficOf(raw);
  if (state.pingedAt === 0) {
    state.pingedAt = performance.now();
    state.sentBeforePing = bytesOut;
  }
  return { bytesRead: raw.bytesRead ?? 0, unreadBytes: bytesOut - state.readBytes };
}

/** Milliseconds since the oldest unanswered ping; undefined if there is none. */
export function notePong(state: PingState): number | undefined {
  const { pingedAt } = state;
  if (pingedAt === 0) return undefined;
  state.pingedAt = 0;
  // Nobody knows which ping it answers.
  state.readBytes = state.sentBeforePing;
  return performance.now() - pingedAt;
}
