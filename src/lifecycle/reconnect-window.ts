import type { NodeReport } from '../cluster/ports/node-registry.js';

/**
 * Upgrades that a node can handle in a second beside its other work. An otherwise idle core handles 1,000 to 2,000 a
 * second, each with a token, but a node beside a draining one is not idle.
 */
export const UPGRADES_A_SECOND = 500;
/** The longest window: by then the node is back, or another one has been started. */
export const MAX_WINDOW_MS = 60_000;

/**
 * The time in milliseconds within which the clients of a draining node come back: as long as the ready nodes need to
 * accept them, and longer if there are more clients than places, because refused clients come again.
 *
 * leaving / (500 × ready nodes) seconds × max(1, leaving / room), from `leastMs` to a minute
 *
 * Without another node it is `leastMs`, because this node comes back. If there are others but none is ready, one is
 * assumed, because the first ready one gets all clients.
 */
export function reconnectWindowMs(leaving: number, others: readonly NodeReport[], leastMs: number): number {
  if (others.length === 0) return leastMs;
  const ready = others.filter(({ isReady }) => isReady);
  const intakeMs = (leaving / (UPGRADES_A_SECOND * Math.max(1, ready.length))) * 1_000;
  const shortage = ready.length === 0 ? 1 : Math.max(1, leaving / Math.max(1, freePlacesOf(ready)));
  return Math.max(leastMs, Math.min(MAX_WINDOW_MS, Math.ceil(intakeMs * shortage)));
}

function freePlacesOf(nodes: readonly NodeReport[]): number {
  const rooms = nodes.map(({ load }) => (load.maxSessions === 0 ? Infinity : load.maxSessions - load.sessions));
  return rooms.reduce((sum, room) => sum + Math.max(0, room), 0);
}
