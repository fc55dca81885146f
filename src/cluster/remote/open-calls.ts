interface OpenCall {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  /** On the performance.now() clock. */
  readonly deadline: number;
  /** What has come of a long answer. */
  parts: unknown[] | undefined;
}

/** A long answer as it arrives: its items, and what else it says. */
export interface WholeAnswer {
  readonly items: readonly unknown[];
  readonly rest: unknown;
}

/** Calls of a worker without an answer yet. One timer serves all: their deadlines are in the order of the calls. */
export class OpenCalls {
  private readonly open = new Map<number, OpenCall>();
  private last = 0;
  private timer: NodeJS.Timeout | undefined;

  /** @param late a call had no answer in time */
  constructor(
    private readonly timeoutMs: number,
    private readonly late: () => void,
  ) {}

  get size(): number {
    return this.open.size;
  }

  add(send: (id: number) => void): Promise<unknown> {
    this.last += 1;
    const id = this.last;
    return new Promise((resolve, reject) => {
      this.open.set(id, { resolve, reject, deadline: performance.now() + this.timeoutMs, parts: undefined });
      this.timer ??= this.wait(this.timeoutMs);
      send(id);
    });
  }

  answered(id: number, value: unknown): void {
    const call = this.open.get(id);
    this.open.delete(id);
    call?.resolve(call.parts === undefined ? value : ({ items: call.parts, rest: value } satisfies WholeAnswer));
  }

  partCame(id: number, items: readonly unknown[]): void {
    const call = this.open.get(id);
    if (call === undefined) return;
    call.parts ??= [];
    for (const item of items) call.parts.push(item);
  }

  refused(id: number, error: Error): void {
    const call = this.open.get(id);
    this.open.delete(id);
    call?.reject(error);
  }

  refuseAll(error: Error): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const calls = [...this.open.values()];
    this.open.clear();
    for (const { reject } of calls) reject(error);
  }

  private wait(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.checkOldest(), ms).unref();
  }

  private checkOldest(): void {
    this.timer = undefined;
    const [oldest] = this.open.values();
    if (oldest === undefined) return;
    const left = oldest.deadline - performance.now();
    if (left <= 0) this.late();
    else this.timer = this.wait(left);
  }
}
