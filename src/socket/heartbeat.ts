import type { Connection } from './connection.js';

export interface HeartbeatSettings {
  /** Time between two pings of one connection. 0: no heartbeat. */
  readonly intervalMs: number;
  /** How long after a ping a connection may stay silent. */
  readonly timeoutMs: number;
}

/** Pings of one interval are spread over slots of about this length, so that they do not leave in one burst. */
const SLOT_MS = 1_000;

/**
 * Detects clients that vanished. One timer for all connections: each belongs to a slot of the interval. A slot's turn
 * pings its connections and checks them once, `timeoutMs` later.
 */
export class Heartbeat {
  private readonly slots: Set<Connection>[];
  /** Runs while there are connections. */
  private timer: NodeJS.Timeout | undefined;
  private turn = 0;
  private nextToFill = 0;

  constructor(private readonly settings: HeartbeatSettings) {
    const count = Math.max(1, Math.round(settings.intervalMs / SLOT_MS));
    this.slots = Array.from({ length: count }, () => new Set());
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  watch(connection: Connection): void {
    if (this.settings.intervalMs === 0) return;
    this.slots[this.nextToFill]?.add(connection);
    this.nextToFill = (this.nextToFill + 1) % this.slots.length;
    this.timer ??= setInterval(() => this.pingNextSlot(), this.settings.intervalMs / this.slots.length).unref();
  }

  forget(connection: Connection): void {
    for (const slot of this.slots) if (slot.delete(connection)) return;
  }

  private restIfAlone(): void {
    if (this.slots.every(({ size }) => size === 0)) this.stop();
  }

  private pingNextSlot(): void {
    const slot = this.slots[this.turn];
    this.turn = (this.turn + 1) % this.slots.length;
    if (slot === undefined || slot.size === 0) return this.restIfAlone();

    // Each ping has its own mark: if the timeout is longer than the interval, the next ping leaves before this one is
    // checked.
    const pinged = [...slot].map((connection) => ({ connection, mark: connection.ping() }));
    const judge = (): void => {
      for (const { connection, mark } of pinged) connection.cutIfSilent(mark);
    };
    // A ping leaves at the end of its turn, and the timeout begins in the next one. If the process was blocked in
    // between, the client must not lose that time.
    inTheNextTurn(() => {
      // After pending input: if the process was blocked, timers run before anything is read.
      setTimeout(() => setImmediate(judge), this.settings.timeoutMs).unref();
    });
  }
}

/** The next turn, even if called in the last phase of this one. */
function inTheNextTurn(act: () => void): void {
  setImmediate(() => setImmediate(act));
}
