import { Injectable } from '@nestjs/common';
import { NodeBus } from '../../cluster/ports/node-bus.js';
import { CLOSES } from '@gatehouse/protocol';
import { SessionEvents } from '../../sessions/session-events.js';
import { clientAddress } from './address-key.js';
import { ExpiringTable } from './expiring-table.js';

/** How long a client is expected back. */
export const MEMORY_MS = 120_000;
/** Addresses that lost connections; 24 bytes each, in two tables. */
const PLACES = 16_384;
/** Addresses in one message to the other nodes. */
const BATCH_SIZE = 1_000;

const KIND = 'drained-connections';
const VANISHED = 1006;

/** Closes after which clients come back: they vanished, or were told to reconnect. */
const RECONNECTS: ReadonlySet<number> = new Set([
  VANISHED,
  ...Object.values(CLOSES).flatMap(({ code, client }) =>
    client === 'reconnect' || client === 'reconnect-within-window' ? [code] : [],
  ),
]);

/** Counts the connections that each address has lost recently. Their clients may all come back at once. */
@Injectable()
export class LostConnections {
  private readonly here = new ExpiringTable(PLACES);
  private readonly drained = new ExpiringTable(PLACES);
  /** Drained connections that the other nodes have not been told about yet. */
  private untold = new Map<string, number>();

  constructor(
    private readonly bus: NodeBus,
    sessions: SessionEvents,
  ) {
    bus.handle(KIND, (payload) => this.hear(payload));
    sessions.on('closed', ({ address }, code) => {
      if (RECONNECTS.has(code)) this.lost(clientAddress(address).limitKey, code);
    });
  }

  /** Connections that ended on this node, except drained ones. */
  hereOf(limitKey: string, now: number): number {
    return this.here.get(limitKey, now) ?? 0;
  }

  /** Connections that any node drained. */
  drainedOf(limitKey: string, now: number): number {
    return this.drained.get(limitKey, now) ?? 0;
  }

  private lost(limitKey: string, code: number): void {
    if (code !== CLOSES.draining.code) return add(this.here, limitKey, 1);
    add(this.drained, limitKey, 1);
    if (!this.bus.reachesOthers) return;
    // The draining node sends it, because it will be gone when others ask.
    if (this.untold.size === 0) setImmediate(() => this.tell());
    this.untold.set(limitKey, (this.untold.get(limitKey) ?? 0) + 1);
  }

  private tell(): void {
    const counts = [...this.untold];
    this.untold = new Map();
    for (let start = 0; start < counts.length; start += BATCH_SIZE)
      this.bus.tell(KIND, counts.slice(start, start + BATCH_SIZE));
  }

  private hear(payload: unknown): void {
    if (!Array.isArray(payload)) return;
    for (const entry of payload as unknown[]) {
      if (!Array.isArray(entry)) continue;
      const [limitKey, count] = entry as unknown[];
      if (typeof limitKey === 'string' && typeof count === 'number') add(this.drained, limitKey, count);
    }
  }
}

function add(table: ExpiringTable, limitKey: string, count: number): void {
  const now = performance.now();
  table.set(limitKey, (table.get(limitKey, now) ?? 0) + count, { now, until: now + MEMORY_MS });
}
