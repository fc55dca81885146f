/**
 * Lets few reads run at one time, the others in the order in which they came. Whoever reads much asks again for each part, behind
 * those that wait by then: so readers take turns, part by part, and none waits until another has read everything.
 */
export class ReadTurns {
  private readonly waiting: (() => void)[] = [];
  private running = 0;

  constructor(private readonly maxRunning: number) {}

  async take<T>(read: () => Promise<T>): Promise<T> {
    if (this.running < this.maxRunning) this.running += 1;
    // Whoever ends hands its place over.
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
