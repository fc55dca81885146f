/** Pauses that end early when there is work, or for good. */
export class Sleep {
  hasEnded = false;
  private current: (() => void) | undefined;

  for(ms: number): Promise<void> {
    if (this.hasEnded) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.wake(), ms);
      this.current = () => {
        clearTimeout(timer);
        this.current = undefined;
        resolve();
      };
    });
  }

  wake(): void {
    this.current?.();
  }

  /** Every pause ends at once from now on. */
  end(): void {
    this.hasEnded = true;
    this.wake();
  }
}
