import type { Clock } from './environment.js';

/** Timers by name: setting one replaces it, and all of them end together. */
export class Timers {
  private readonly running = new Map<string, unknown>();

  constructor(private readonly clock: Clock) {}

  set(name: string, ms: number, run: () => void): void {
    this.clear(name);
    const timer = this.clock.setTimeout(() => {
      this.running.delete(name);
      run();
    }, ms);
    this.running.set(name, timer);
  }

  has(name: string): boolean {
    return this.running.has(name);
  }

  clear(...names: string[]): void {
    for (const name of names) {
      if (!this.running.has(name)) continue;
      this.clock.clearTimeout(this.running.get(name));
      this.running.delete(name);
    }
  }

  clearAll(): void {
    this.clear(...this.running.keys());
  }
}
