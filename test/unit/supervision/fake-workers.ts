import type { FromPrimary, FromWorker } from '../../../src/lifecycle/worker-messages.js';
import { WorkerProcess, type WorkerOrder } from '../../../src/supervision/worker-process.js';

/** A worker without a process: a test says what becomes of it. */
export class FakeWorker extends WorkerProcess {
  readonly pid = 1;
  readonly heard: FromPrimary[] = [];
  hasEnded = false;

  constructor(readonly order: WorkerOrder) {
    super();
  }

  get number(): number {
    return this.order.number;
  }

  say(message: FromWorker): void {
    this.emit('said', message);
  }

  ready(port = 8080): void {
    this.say({ says: 'ready', port });
  }

  exit(code: number | null = 0, signal: string | null = null): void {
    this.hasEnded = true;
    this.emit('exited', { code, signal });
  }

  send(message: FromPrimary): void {
    this.heard.push(message);
    if (message.says === 'stop') this.stopped(this);
  }

  kill(): void {
    if (!this.hasEnded) this.exit(null, 'SIGKILL');
  }

  /** What it does when it is to stop. */
  stopped: (worker: FakeWorker) => void = (worker) => queueMicrotask(() => worker.exit());
}

/** All workers that were started, in their order. */
export class FakeWorkers {
  readonly all: FakeWorker[] = [];

  /** @param begin what becomes of a worker that was started */
  constructor(public begin: (worker: FakeWorker) => void = (worker) => worker.ready()) {}

  readonly start = (order: WorkerOrder): FakeWorker => {
    const worker = new FakeWorker(order);
    this.all.push(worker);
    queueMicrotask(() => this.begin(worker));
    return worker;
  };

  /** The newest of this number. */
  get(number: number): FakeWorker {
    const worker = this.all.findLast((candidate) => candidate.number === number);
    if (worker === undefined) throw new Error(`Worker ${number} was never started`);
    return worker;
  }

  get numbers(): number[] {
    return this.all.map(({ number }) => number);
  }
}
