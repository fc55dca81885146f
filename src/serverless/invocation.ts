import { AsyncLocalStorage } from 'node:async_hooks';
import { Outcomes } from './outcomes.js';

export interface InvocationOptions {
  /** Of the management API of the stage: `https://…/prod`. */
  readonly endpoint: string;
  /** Name or ARN of this function. Undefined: it cannot invoke itself. */
  readonly functionName: string | undefined;
  /** Whether it serves $connect, in which API Gateway answers every post with 410. */
  readonly isConnect?: boolean;
  /** Resolves shortly before the event must have its answer. Absent: never. */
  readonly outOfTime?: Promise<unknown> | undefined;
  /** Is told of work that failed. */
  readonly onFailure: (where: string, error: unknown) => void;
}

const current = new AsyncLocalStorage<Invocation>();

/**
 * One run of the function: where it posts, what it counts, and the work that it must finish, because Lambda freezes the
 * process as soon as the handler has returned.
 */
export class Invocation {
  readonly outcomes = new Outcomes();
  private readonly work = new Set<Promise<unknown>>();
  private isLate = false;

  constructor(readonly options: InvocationOptions) {}

  /** @throws Error outside of an invocation: nothing can be posted or finished there */
  static get current(): Invocation {
    const invocation = current.getStore();
    if (invocation === undefined) throw new Error('Nothing can be sent outside of an event of the WebSocket API');
    return invocation;
  }

  run<T>(body: () => Promise<T>): Promise<T> {
    return current.run(this, body);
  }

  /** Work that the invocation waits for. A failure is reported. */
  track(where: string, promise: Promise<unknown>): void {
    const { onFailure } = this.options;
    const done: Promise<unknown> = promise
      .catch((error: unknown) => {
        this.outcomes.add('failed');
        onFailure(where, error);
      })
      .finally(() => this.work.delete(done));
    this.work.add(done);
  }

  /** Resolves when all work is done, also work that began meanwhile. */
  async settled(): Promise<void> {
    while (this.work.size > 0) await Promise.all(this.work);
  }

  /** Waits for something until the time of the invocation is over, which is counted once. */
  async inTime(promise: Promise<unknown>): Promise<void> {
    const { outOfTime } = this.options;
    if (this.isLate) return;
    if (outOfTime === undefined) return void (await promise);
    const isLate = await Promise.race([promise.then(() => false), outOfTime.then(() => true)]);
    if (!isLate) return;
    this.isLate = true;
    this.outcomes.add('out_of_time');
  }
}
