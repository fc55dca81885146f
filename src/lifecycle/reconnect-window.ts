import type { NodeReport } from '../cluster/ports/node-registry.js';

/**
 * Upgrades that a node takes in a second beside its other work. One core makes 1,000 to 2,000 a second, with a token
 * each, when it has nothing else to do; while a neighbour drains it has.
 */
export const UPGRADES_A_SECOND = 500;
/** Longer than this nobody is told to wait: by then the node is back, or another one has been started. */
export const MAX_WINDOW_MS = 60_000;

/**
 * Within how many milliseconds the clients of a draining node shall come back: as long as the ready nodes need to take
 * them in, and longer by as much as there are more clients than places, since those who find none come again.
 *
 *     leaving / (500 × ready nodes) seconds × max(1, leaving / room), from `leastMs` to a minute
 *
 * Without another node it is `leastMs`: this one comes back. Where others are there and none is ready, one is reckoned
 * with, for the first that is ready meets them all.
 */
export function reconnectWindowMs(leaving: number, others: readonly NodeReport[], leastMs: number): number {
  if (others.length === 0) return leastMs;
  const ready = others.filter(({ isReady }) => isReady);
  const intakeMs = (leaving / (UPGRADES_A_SECOND * Math.max(1, ready.length))) * 1_000;
  const shortage = ready.length === 0 ? 1 : Math.max(1, leaving / Math.max(1, roomOf(ready)));
  return Math.max(leastMs, Math.min(MAX_WINDOW_MS, Math.ceil(intakeMs * shortage)));
}

function roomOf(nodes: readonly NodeReport[]): number {
  const rooms = nodes.map(({ load }) => (load.maxSessions === 0 ? Infinity : load.maxSessions - load.sessions));
  return rooms.reduce((sum, room) => sum + Math.max(0, room), 0);
}
