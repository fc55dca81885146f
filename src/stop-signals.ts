// Imports nothing. main.ts loads this before everything else, because a signal that arrives before its handler is lost.

/** What a server needs to stop. */
export interface Stoppable {
  /** Logs why it stops. */
  announce(cause: string): void;
  /** Drains and stops. */
  close(): Promise<void>;
}

export interface StopPlan {
  readonly starting: Promise<Stoppable>;
  /** The longest time from the signal to the end of the process. */
  readonly timeoutMs: number;
  readonly fail: (error: unknown) => never;
  /** Instead of stopping on SIGHUP. */
  readonly hangUp?: () => void;
  /** Called before the process ends at once, on a second signal or because the time is over. */
  readonly abort?: () => void;
}

export interface StopSignalsOptions {
  readonly isUnderNpm: boolean;
  /** A primary decides when this process ends: a terminal sends SIGINT and SIGHUP to both. */
  readonly isWorker: boolean;
}

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
/**
 * Under npm, two signals within this time count as one: npm passes on a Ctrl-C that the terminal has already sent to
 * this process.
 */
const ONE_INTERRUPT_MS = 500;
const PARENT_CHECK_MS = 1_000;

/**
 * Ends the process on a signal. The kernel drops a signal to process 1 of a container that has no handler, so this must
 * be installed before the rest of the program is loaded.
 * - While the program loads, the process ends at once: nothing is open yet.
 * - While the server starts, it ends when the start is complete, and in time even if the start hangs.
 * - After that, the first signal drains and the second ends at once.
 */
export class StopSignals {
  private plan: StopPlan | undefined;
  private stoppingSince: number | undefined;

  private readonly isUnderNpm: boolean;

  constructor({ isUnderNpm, isWorker }: StopSignalsOptions) {
    this.isUnderNpm = isUnderNpm && !isWorker;
    for (const signal of SIGNALS) process.on(signal, () => this.hear(signal, isWorker));
    if (this.isUnderNpm) this.stopWithParent();
  }

  /** From now on a signal stops the server that starts here. */
  follow(plan: StopPlan): void {
    this.plan = plan;
  }

  /** Stops as on the first signal; has no effect while the process stops. */
  request(cause: string): void {
    if (this.stoppingSince === undefined) this.stop(cause);
  }

  private hear(signal: (typeof SIGNALS)[number], isWorker: boolean): void {
    if (isWorker && signal !== 'SIGTERM') return;
    if (signal === 'SIGHUP' && this.plan?.hangUp !== undefined) return this.plan.hangUp();
    this.stop(signal);
  }

  private stop(cause: string): void {
    if (this.plan === undefined) process.exit(0);
    if (this.stoppingSince !== undefined) {
      const isEcho = this.isUnderNpm && cause === 'SIGINT' && performance.now() - this.stoppingSince < ONE_INTERRUPT_MS;
      if (!isEcho) this.plan.abort?.();
      if (!isEcho) process.exit(1);
      return;
    }
    this.stoppingSince = performance.now();
    carryOut(this.plan, cause);
  }

  /** Without this, the server would go on unnoticed after a signal to `npm start`, and keep its port. */
  private stopWithParent(): void {
    const { ppid } = process;
    const timer = setInterval(() => {
      if (process.ppid === ppid) return;
      clearInterval(timer);
      this.stop('npm has ended');
    }, PARENT_CHECK_MS);
    timer.unref();
  }
}

function carryOut({ starting, timeoutMs, fail, abort }: StopPlan, cause: string): void {
  // Sessions end in time by themselves. This is for anything else that holds the process: a start that hangs, an HTTP
  // request.
  setTimeout(() => {
    abort?.();
    process.exit(0);
  }, timeoutMs);
  const leave = async (): Promise<never> => {
    const server = await starting;
    server.announce(cause);
    await server.close();
    process.exit(0);
  };
  leave().catch(fail);
}
