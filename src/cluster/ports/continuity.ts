import type { History, Position } from './broker.js';

/** Whether both are the same place. */
export function isSamePosition(left: Position, right: Position | undefined): boolean {
  return left.epoch === right?.epoch && left.seq === right.seq;
}

/**
 * How far somebody at this position has seen what the channel holds: at most up to its own seq, and less where publications it
 * has seen were lost. Undefined where nothing relates the two.
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
 * Whether somebody at this position has missed nothing but what the history returns. A top behind the position means that
 * the history was lost, though it kept its epoch.
 */
export function isContinuedBy(
  position: Position | undefined,
  { top, continues = [] }: Pick<History, 'top' | 'continues'>,
): position is Position {
  if (position === undefined) return false;
  if (position.epoch === top.epoch) return position.seq <= top.seq;
  return continues.some(({ epoch, seq }) => position.epoch === epoch && position.seq <= seq);
}
