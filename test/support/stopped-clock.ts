/** Both clocks of this process, that of rates and that of the calendar, stand still but for what a test lets pass. Timers go on. */
export class StoppedClock implements Disposable {
  private readonly steady = performance.now.bind(performance);
  private readonly calendar = Date.now.bind(Date);
  private readonly startedAt = { steady: this.steady(), calendar: this.calendar() };
  private passed = 0;

  constructor() {
    performance.now = () => this.startedAt.steady + this.passed;
    Date.now = () => this.startedAt.calendar + Math.floor(this.passed);
  }

  pass(milliseconds: number): void {
    this.passed += milliseconds;
  }

  [Symbol.dispose](): void {
    performance.now = this.steady;
    Date.now = this.calendar;
  }
}
