/** What is kept of the clock over a restart. */
export interface ClockReading {
  /** By the clock of the outbox. */
  readonly at: number;
  /** By the clock of the system. */
  readonly wall: number;
}

/** How far the system's clock may be set, or drift within a reading, before it counts as a jump. */
const JUMP_MS = 60_000;
/** A device that was off for longer has lost its clock, or its messages are old anyway. */
const MAX_AWAY_MS = 31_622_400_000;

/**
 * Measures the age of messages. It goes on at the pace of the processor, so that setting the system's clock expires no
 * message and keeps none for ever. Only the time while the process was away is taken from the system's clock.
 */
export class OutboxClock {
  private base: number;
  private start = performance.now();
  private wall = Date.now();

  constructor(last?: ClockReading) {
    const away = last === undefined ? 0 : this.wall - last.wall;
    this.base = (last?.at ?? 0) + Math.min(Math.max(away, 0), MAX_AWAY_MS);
  }

  now(): number {
    return Math.round(this.base + performance.now() - this.start);
  }

  reading(): ClockReading {
    return { at: this.now(), wall: Date.now() };
  }

  /** Returns by how much the system's clock was set since the last call, in milliseconds; 0 if it was not. */
  jump(): number {
    const passed = performance.now() - this.start;
    const moved = Date.now() - this.wall - passed;
    this.base += passed;
    this.start += passed;
    this.wall = Date.now();
    return Math.abs(moved) < JUMP_MS ? 0 : Math.round(moved);
  }
}
