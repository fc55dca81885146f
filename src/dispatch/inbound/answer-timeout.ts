/** How long the session of a client that has left waits for the last replies, if no message waits behind them. */
const LAST_ANSWERS_MS = 2_000;

/**
 * Watches the running messages of a client that has left: a handler that never replies must not keep its session
 * forever.
 */
export class AnswerTimeout {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    /** How long the running messages may take while others wait behind them. */
    private readonly patienceMs: number,
    private readonly isOver: () => void,
  ) {}

  /** A message was answered or has begun: restarts the time. */
  restart(areOthersWaiting: boolean): void {
    this.pause();
    this.timer = setTimeout(this.isOver, areOthersWaiting ? this.patienceMs : LAST_ANSWERS_MS).unref();
  }

  /** No handler is late. */
  pause(): void {
    clearTimeout(this.timer);
  }
}
