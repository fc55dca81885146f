/** Lines of one kind that may be written in a period; an attacker must not be able to make us write more. */
const LINES_A_PERIOD = 20;
const PERIOD_MS = 10_000;

interface Kind {
  startedAt: number;
  written: number;
  leftOut: number;
}

/** Bounds how often one kind of log line is written, and counts what is left out. */
export class BurstGuard {
  private readonly kinds = new Map<string, Kind>();

  /** @param clock milliseconds on any steady clock */
  constructor(private readonly clock: () => number = () => performance.now()) {}

  /**
   * Calls `write` unless its kind has used up its lines. The first line of a new period is told how many were left out.
   *
   * @param kind one of a fixed set, never text of a client
   */
  write(kind: string, write: (leftOut: number) => void): void {
    const now = this.clock();
    const state = this.kinds.get(kind) ?? { startedAt: now, written: 0, leftOut: 0 };
    this.kinds.set(kind, state);
    if (now - state.startedAt >= PERIOD_MS) {
      state.startedAt = now;
      state.written = 0;
    }
    if (state.written >= LINES_A_PERIOD) {
      state.leftOut += 1;
      return;
    }
    state.written += 1;
    const { leftOut } = state;
    state.leftOut = 0;
    write(leftOut);
  }
}
