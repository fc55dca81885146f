/**
 * Stops both clocks of this process, the steady clock of rates and the calendar, until it is disposed. Time passes only
 * when a test says so. Timers go on.
 */
export class StoppedClock implements Disposable {
  private readonly steady = performance.now.bind(performance);
  private readonly calendar = Date.now.bind(Date);
  private readonly startedAt = { steady: this.steady(), calendar: this.calendar() };
  private passed = 0;

  constructor() {
    performance.now = () => this.startedAt.steady + this.passed;
    Date.now = () => this.startedAt.calendar + Math.floor(this.passed);
  }

  /** Moves both clocks forward. */
  pass(milliseconds: number): void {
    this.passed += milliseconds;
  }

  [Symbol.dispose](): void {
    performance.now = this.steady;
    Date.now = this.calendar;
  }
}
