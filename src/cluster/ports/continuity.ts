import type { History, Position } from './broker.js';

/** Whether both are the same position. */
export function isSamePosition(left: Position, right: Position | undefined): boolean {
  return left.epoch === right?.epoch && left.seq === right.seq;
}

/**
 * How far a client at this position has seen the channel: at most up to its own seq, and less if publications that it
 * has seen were lost. Undefined if the epochs are unrelated.
 */
export function knownSeq(
  { epoch, seq }: Position,
  { top, continues = [] }: Pick<History, 'top' | 'continues'>,
): number | undefined {
  if (epoch === top.epoch) return Math.min(seq, top.seq);
  const former = continues.find((known) => known.epoch === epoch);
  return former && Math.min(seq, former.seq);
}

/**
 * Whether a client at this position has missed nothing except what the history returns. A channel whose seq is behind
 * the position lost its history, although it kept its epoch.
 */
export function isContinuedBy(
  position: Position | undefined,
  { top, continues = [] }: Pick<History, 'top' | 'continues'>,
): position is Position {
  if (position === undefined) return false;
  if (position.epoch === top.epoch) return position.seq <= top.seq;
  return continues.some(({ epoch, seq }) => position.epoch === epoch && position.seq <= seq);
}

/** The history for a client that may have seen more of a channel than the copy of it here has. */
export function seenBy(position: Position | undefined, history: History): History {
  const { top, mayTrail = false } = history;
  const isAhead = mayTrail && position?.epoch === top.epoch && position.seq > top.seq;
  return isAhead ? { ...history, top: position } : history;
}
