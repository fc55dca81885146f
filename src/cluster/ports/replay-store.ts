import { AnswerStore } from './answer-store.js';

/** How far ahead of ours a client's clock may be. */
export const MAX_AHEAD_MS = 30_000;
/** How far the clocks of nodes may be apart. */
const NODES_APART_MS = 30_000;

/**
 * Remembers which protected messages were carried out, and what was answered. Unlike other answers none may be forgotten
 * before its time, or the message could be carried out again: where there is no room, a claim is refused with SERVER_BUSY.
 */
export abstract class ReplayStore extends AnswerStore {}

/** As long as some node would still take the message for timely. */
export function lifeOfIds(windowMs: number): number {
  return windowMs + MAX_AHEAD_MS + NODES_APART_MS;
}
