/** What a node did in one step. */
export interface ActivitySample {
  /** At the end of the step. */
  readonly sessions: number;
  /** Messages in a second. */
  readonly received: number;
  /** Messages in a second; one to many clients counts once for each. */
  readonly sent: number;
  /** Error replies in a second. */
  readonly errors: number;
  /** The worst event-loop lag, in milliseconds. */
  readonly lagMs: number;
  /** Bytes that wait for slow readers, at the end of the step. */
  readonly queuedBytes: number;
}

export type ActivitySeries = { readonly [Name in keyof ActivitySample]: readonly number[] };

/** The newest samples. The oldest makes room for the next. */
export class ActivityRing {
  private readonly samples: ActivitySample[] = [];

  constructor(private readonly capacity: number) {}

  add(sample: ActivitySample): void {
    this.samples.push(sample);
    if (this.samples.length > this.capacity) this.samples.shift();
  }

  /** One list for each value, the oldest first. */
  get series(): ActivitySeries {
    const { samples } = this;
    return {
      sessions: samples.map(({ sessions }) => sessions),
      received: samples.map(({ received }) => received),
      sent: samples.map(({ sent }) => sent),
      errors: samples.map(({ errors }) => errors),
      lagMs: samples.map(({ lagMs }) => lagMs),
      queuedBytes: samples.map(({ queuedBytes }) => queuedBytes),
    };
  }
}
