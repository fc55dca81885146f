/**
 * Stops both clocks of this process until it is disposed: the steady clock that rates use (`performance.now()`), and the
 * calendar (`Date`). Time passes only when a test says so. Timers go on.
 */
export class StoppedClock implements Disposable {
  private readonly realDate = globalThis.Date;
  private readonly realSteady = performance.now.bind(performance);
  private readonly realCalendar = Date.now.bind(Date);
  /** A whole number, so that a test can add to it exactly. */
  private steady = Math.ceil(performance.now());
  private calendar = Date.now();

  constructor() {
    const now = (): number => Math.floor(this.calendar);
    performance.now = () => this.steady;
    this.realDate.now = now;
    // `new Date()` does not call Date.now(). A proxy keeps `instanceof` and everything else of Date.
    globalThis.Date = new Proxy(this.realDate, {
      construct: (target, given: unknown[]) => Reflect.construct(target, given.length === 0 ? [now()] : given) as Date,
      apply: (target) => new target(now()).toString(),
    });
  }

  /** Moves both clocks forward. */
  pass(milliseconds: number): void {
    this.steady += milliseconds;
    this.calendar += milliseconds;
  }

  /** Sets the calendar, forward or back, as somebody sets the clock of a machine. The steady clock stays where it is. */
  moveTo(date: Date): void {
    this.calendar = date.getTime();
  }

  [Symbol.dispose](): void {
    globalThis.Date = this.realDate;
    this.realDate.now = this.realCalendar;
    performance.now = this.realSteady;
  }
}
