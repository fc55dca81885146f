import { AnswerStore } from './answer-store.js';

/** How far a client's clock may be ahead of ours. */
export const MAX_AHEAD_MS = 30_000;
/** How far the clocks of nodes may be apart. */
const NODES_APART_MS = 30_000;

/**
 * Remembers which protected messages were handled, and their replies. Unlike other answers, none may be forgotten
 * early, because the message could be handled again. If there is no room, a claim is rejected with SERVER_BUSY.
 */
export abstract class ReplayStore extends AnswerStore {}

/** As long as any node would still accept the message. */
export function lifeOfIds(windowMs: number): number {
  return windowMs + MAX_AHEAD_MS + NODES_APART_MS;
}
