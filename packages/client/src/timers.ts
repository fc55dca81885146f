import type { Clock } from './environment.js';

/** Timers by name: setting one replaces it, and all of them end together. */
export class Timers {
  private readonly _running = new Map<string, unknown>();

  constructor(private readonly _clock: Clock) {}

  set(name: string, ms: number, run: () => void): void {
    this.clear(name);
    const timer = this._clock.setTimeout(() => {
      this._running.delete(name);
      run();
    }, ms);
    this._running.set(name, timer);
  }

  has(name: string): boolean {
    return this._running.has(name);
  }

  /** Clears the timers of these names, or all. */
  clear(...names: string[]): void {
    for (const name of names.length > 0 ? names : this._running.keys()) {
      this._clock.clearTimeout(this._running.get(name));
      this._running.delete(name);
    }
  }
}
