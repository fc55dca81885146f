import type { HelloReply } from '@gatehouse/protocol';
import type { Clock } from './environment.js';
import { Timers } from './timers.js';

const DEFAULT: HelloReply['heartbeat'] = { intervalMs: 25_000, timeoutMs: 10_000 };

export interface PulseEvents {
  readonly ping: (id: string) => void;
  readonly onDead: () => void;
}

/** Notices a connection that is dead without being closed: silence, then a ping without an answer. */
export class Pulse {
  private readonly timers: Timers;
  private heartbeat = DEFAULT;
  private lastHeard = 0;
  private pings = 0;

  constructor(
    private readonly clock: Clock,
    private readonly events: PulseEvents,
  ) {
    this.timers = new Timers(clock);
  }

  start({ intervalMs, timeoutMs }: HelloReply['heartbeat'] = DEFAULT): void {
    this.heartbeat = { intervalMs: intervalMs || DEFAULT.intervalMs, timeoutMs: timeoutMs || DEFAULT.timeoutMs };
    this.heard();
    this.watch(this.heartbeat.intervalMs);
  }

  /** Anything that arrives is a sign of life. */
  heard(): void {
    this.lastHeard = this.clock.elapsed();
    this.timers.clear('dead');
  }

  /** Asks for a sign of life at once. */
  probe(withinMs: number): void {
    if (!this.timers.has('silence')) return;
    this.pings += 1;
    this.events.ping(`ping-${this.pings}`);
    this.timers.set('dead', withinMs, () => this.events.onDead());
  }

  stop(): void {
    this.timers.clearAll();
  }

  private watch(ms: number): void {
    this.timers.set('silence', ms, () => {
      const silentFor = this.clock.elapsed() - this.lastHeard;
      const { intervalMs, timeoutMs } = this.heartbeat;
      this.watch(silentFor < intervalMs ? Math.max(1, intervalMs - silentFor) : intervalMs);
      if (silentFor >= intervalMs && !this.timers.has('dead')) this.probe(timeoutMs);
    });
  }
}
