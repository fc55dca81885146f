import type { Gap, Position } from '@gatehouse/protocol';

/** The position that somebody tells, if it has the right shape. */
export function positionIn(value: unknown): Position | undefined {
  const { epoch, seq } = (value ?? {}) as Partial<Position>;
  return typeof epoch === 'string' && typeof seq === 'number' ? { epoch, seq } : undefined;
}

/** Whether a reader that has seen everything up to `top` lacks something of the gap. */
export function isMissed({ from, to }: Gap, top: Position, now: Position): boolean {
  return top.seq < to || (from === null && (top.epoch !== now.epoch || top.seq > now.seq));
}

/** Whether the reader went back while the subscribe was under way, so that the reply lacks what it needs. */
export function isBefore(top: Position, since: Position | undefined, now: Position): boolean {
  if (since === undefined) return top.epoch !== now.epoch || top.seq < now.seq;
  return top.epoch === since.epoch && top.seq < since.seq;
}

/** Whether a position of one series is at least as new as the other. */
export function covers(position: Position, base: Position | undefined): boolean {
  return position.epoch === base?.epoch && position.seq >= base.seq;
}

/** Positions of two epochs cannot be compared. The server knows whether the older one leads to the newer. */
export function oldestOf(positions: readonly Position[], epoch: string | undefined): Position | undefined {
  const other = positions.find((position) => position.epoch !== epoch) ?? positions[0];
  const comparable = positions.filter((position) => position.epoch === other?.epoch);
  return comparable.sort((one, another) => one.seq - another.seq)[0];
}
