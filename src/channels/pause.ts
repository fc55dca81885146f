/** Waits that end early, one at a time, and all of them for good when the node ends. */
export class Pause {
  hasEnded = false;
  private current: (() => void) | undefined;

  /** Until `listen` has called back. */
  until(listen: (wake: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      if (this.hasEnded) return resolve();
      this.current = resolve;
      listen(resolve);
    });
  }

  /** Until `listen` has called back, but not longer than this. */
  async for(ms: number, listen?: (wake: () => void) => void): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await this.until((wake) => {
      timer = setTimeout(wake, ms);
      listen?.(wake);
    });
    clearTimeout(timer);
  }

  /** Ends the wait that is on; the next ones wait. */
  wake(): void {
    this.current?.();
  }

  end(): void {
    this.hasEnded = true;
    this.wake();
  }
}
