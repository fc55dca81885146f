const REOPEN_MS = 1_000;

/** Opens a store again that could not be written, a second later and until it succeeds. */
export class Reopening {
  private timer: NodeJS.Timeout | undefined;
  private isEnded = false;
  /** The attempt in progress. */
  running: Promise<void> | undefined;

  /**
   * @param reopen rejects if the disk still fails
   * @param failed told of each attempt that did
   */
  constructor(
    private readonly reopen: (isDamaged: boolean) => Promise<void>,
    private readonly failed: (error: Error) => void,
  ) {}

  /** @param isDamaged whether it has to be repaired first */
  begin(isDamaged: boolean): void {
    if (this.isEnded) return;
    this.timer = setTimeout(() => {
      this.running = this.attempt(isDamaged);
    }, REOPEN_MS).unref();
  }

  /** Begins no other attempt. One that is in progress has to be awaited. */
  end(): void {
    this.isEnded = true;
    clearTimeout(this.timer);
  }

  private async attempt(isDamaged: boolean): Promise<void> {
    try {
      await this.reopen(isDamaged);
    } catch (error) {
      this.failed(error as Error);
      this.begin(isDamaged);
    }
    this.running = undefined;
  }
}
