import type { Connection } from './connection.js';
import type { PingMark } from './connection-listener.js';

export interface HeartbeatSettings {
  /** Time between two pings of one connection. 0: no heartbeat. */
  readonly intervalMs: number;
  /** How long after a ping a connection may stay silent. */
  readonly timeoutMs: number;
  /** Bytes per second that a client reads at least. 0: a ping behind unread data has no more time than others. */
  readonly readRate: number;
}

interface Pinged {
  readonly connection: Connection;
  readonly mark: PingMark;
}

/** Pings of one interval are spread over slots of about this length, so that they do not leave in one burst. */
const SLOT_MS = 1_000;
/** What the operating systems hold for a reader that is slow, at most: Linux ends the send buffer at 4 MiB. */
const BUFFERED_BYTES = 4_194_304;
/** A full socket takes nothing more until a third of its buffer is free, and its progress cannot be seen before. */
const STEP_BYTES = BUFFERED_BYTES / 3;

/**
 * Detects clients that vanished. One timer for all connections: each belongs to a slot of the interval. A slot's turn
 * pings its connections and checks them once, `timeoutMs` later, or as much later as the ping may wait behind unread
 * data.
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
    const pinged = new Map<number, Pinged[]>();
    for (const connection of slot) {
      const mark = connection.ping();
      const ms = this.timeoutOf(mark);
      const group = pinged.get(ms);
      if (group) group.push({ connection, mark });
      else pinged.set(ms, [{ connection, mark }]);
    }
    // A ping leaves at the end of its turn, and the timeout begins in the next one. If the process was blocked in
    // between, the client must not lose that time.
    inTheNextTurn(() => {
      // After pending input: if the process was blocked, timers run before anything is read.
      for (const [ms, group] of pinged) setTimeout(() => setImmediate(judge, group), ms).unref();
    });
  }

  /** In whole seconds beyond the usual time, so that few timers do for all connections of a slot. */
  private timeoutOf({ unreadBytes, progress }: PingMark): number {
    const { timeoutMs, readRate } = this.settings;
    if (readRate === 0) return timeoutMs;
    const behind = Math.min(unreadBytes, progress === undefined ? BUFFERED_BYTES : STEP_BYTES);
    return timeoutMs + Math.floor(behind / readRate) * 1_000;
  }
}

function judge(pinged: readonly Pinged[]): void {
  for (const { connection, mark } of pinged) connection.cutIfSilent(mark);
}

/** The next turn, even if called in the last phase of this one. */
function inTheNextTurn(act: () => void): void {
  setImmediate(() => setImmediate(act));
}
