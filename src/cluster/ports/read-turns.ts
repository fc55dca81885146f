/**
 * Limits the number of simultaneous reads; others wait in order. A reader asks again for each slice, behind all that
 * wait by then. So readers take turns, and none waits until another has read everything.
 */
export class ReadTurns {
  private readonly waiting: (() => void)[] = [];
  private running = 0;

  constructor(private readonly maxRunning: number) {}

  async take<T>(read: () => Promise<T>): Promise<T> {
    if (this.running < this.maxRunning) this.running += 1;
    // A finished read passes its place on.
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await read();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.running -= 1;
    }
  }
}
