/** How long the session of a client that has gone waits for the last answers, where no message waits behind them. */
const LAST_ANSWERS_MS = 2_000;

/** Watches the messages in hand of a client that has gone: a handler that never answers must not keep its session for ever. */
export class AnswerTimeout {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    /** How long the messages in hand may take while others wait behind them. */
    private readonly patienceMs: number,
    private readonly isOver: () => void,
  ) {}

  /** Something was answered or has begun: counts from here. */
  restart(areOthersWaiting: boolean): void {
    this.pause();
    this.timer = setTimeout(this.isOver, areOthersWaiting ? this.patienceMs : LAST_ANSWERS_MS).unref();
  }

  /** No handler is late. */
  pause(): void {
    clearTimeout(this.timer);
  }
}
