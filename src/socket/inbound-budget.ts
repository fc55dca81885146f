import type { Connection } from './connection.js';

export interface InboundBudgetSettings {
  /** How long a message may take to arrive. 0: no limit. */
  readonly timeoutMs: number;
  /** Bytes of incomplete messages of all clients. 0: no limit. */
  readonly budgetBytes: number;
}

const SWEEP_MS = 1_000;
/** Sweeps within one timeout, so that a message is closed at most this share of it late. */
const SWEEPS_A_TIMEOUT = 4;

interface Begun {
  /** Identifies the message: how many had arrived before it. */
  readonly ordinal: number;
  /** When it was first seen, on the performance.now() clock. */
  readonly since: number;
}

/**
 * Limits incomplete messages: each by time, all together by bytes. They are checked in sweeps over all connections (4
 * ms for 50,000), so that messages cost nothing more and idle connections have no timer.
 */
export class InboundBudget {
  /** Bytes of incomplete messages at the last sweep, for metrics. */
  bytes = 0;
  private readonly sources: ReadonlySet<Connection>[] = [];
  private begun = new Map<Connection, Begun>();
  /** Runs while there are connections. */
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly settings: InboundBudgetSettings) {}

  /** @param connections the live set of one endpoint */
  watch(connections: ReadonlySet<Connection>): void {
    this.sources.push(connections);
  }

  /** There is a connection in one of the sets. */
  wake(): void {
    const { timeoutMs, budgetBytes } = this.settings;
    if (this.timer !== undefined || (timeoutMs === 0 && budgetBytes === 0)) return;
    const often = timeoutMs === 0 ? SWEEP_MS : Math.min(SWEEP_MS, Math.ceil(timeoutMs / SWEEPS_A_TIMEOUT));
    // After pending input: after a stall, timers run before anything is read.
    this.timer = setInterval(() => setImmediate(() => this.sweep(performance.now())), often);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private sweep(now: number): void {
    const before = this.begun;
    this.begun = new Map();
    this.bytes = 0;
    for (const connections of this.sources) {
      for (const connection of connections) this.look(connection, before.get(connection), now);
    }
    if (this.sources.every(({ size }) => size === 0)) this.stop();
    if (this.settings.budgetBytes > 0 && this.bytes > this.settings.budgetBytes) this.relieve();
  }

  private look(connection: Connection, known: Begun | undefined, now: number): void {
    const { arrival } = connection;
    if (arrival === 'none') return;
    this.bytes += connection.arrivedBytes;
    const { ordinal } = connection;
    // The client is not to blame for data that we do not read, or that zlib has not inflated yet.
    const begun = known?.ordinal === ordinal && !connection.isPaused ? known : { ordinal, since: now };
    this.begun.set(connection, begun);
    const { timeoutMs } = this.settings;
    const isLate = timeoutMs > 0 && now - begun.since >= timeoutMs;
    if (isLate && arrival !== 'inflating' && connection.isOpen) connection.closeAs('message_timeout');
  }

  /** The largest first: one of them may hold as much memory as many others. */
  private relieve(): void {
    for (const connection of [...this.begun.keys()].sort(byDispensability)) {
      if (this.bytes <= this.settings.budgetBytes) return;
      this.bytes -= connection.arrivedBytes;
      if (connection.isOpen) connection.closeAs('inbound_overflow');
      else connection.terminate();
    }
  }
}

/** First those that were closed but still hold memory, then the largest. */
function byDispensability(left: Connection, right: Connection): number {
  return Number(left.isOpen) - Number(right.isOpen) || right.arrivedBytes - left.arrivedBytes;
}
