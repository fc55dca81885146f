import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { EventEmitter } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { NodeRegistry } from '../cluster/ports/node-registry.js';
import type { Session } from '../sessions/session.js';
import { SessionRegistry } from '../sessions/session-registry.js';
import type { LifecycleSettings } from './lifecycle-settings.js';
import { NodeReporter } from './node-reporter.js';
import { reconnectWindowMs } from './reconnect-window.js';
import { ServerState } from './server-state.js';

const PAUSE_MS = 50;
/** Half of the time is for telling clients in batches, the rest for running handlers and closing handshakes. */
const SHARE_OF_TIMEOUT = 0.5;
const MIN_BATCH = 100;
/**
 * Time at the end for the close frames of clients whose handlers do not finish: this long, or this share of a short
 * time.
 */
const LAST_CALL_MS = 500;
const LAST_CALL_SHARE = 0.25;

/** A drain, in progress or finished. */
export interface DrainSummary {
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Sessions that were open when it began. */
  readonly leaving: number;
  /** Sessions that are still open. */
  readonly remaining: number;
  /** Clients are told to reconnect at a random moment within this many milliseconds. */
  readonly reconnectWindowMs: number;
}

interface DrainUnderWay extends Omit<DrainSummary, 'remaining'> {
  readonly isOver: Promise<void>;
}

interface DrainEvents {
  began: [summary: DrainSummary];
  /** No session is left. `cut` is the number of sessions that had to be disconnected. */
  ended: [durationMs: number, cut: number];
}

/** Moves every client to other nodes, in batches with pauses, so that they do not all reconnect at once. */
@Injectable()
export class Drain extends EventEmitter<DrainEvents> implements OnApplicationShutdown {
  private readonly logger = new Logger('Drain');
  private underWay: DrainUnderWay | undefined;

  constructor(
    @Inject(Settings) private readonly settings: LifecycleSettings,
    private readonly registry: NodeRegistry,
    private readonly sessions: SessionRegistry,
    private readonly state: ServerState,
    private readonly reporter: NodeReporter,
  ) {
    super();
  }

  onApplicationShutdown(): void {
    this.removeAllListeners();
  }

  /**
   * Begins to drain while the process goes on. It refuses upgrades and is not ready; a later shutdown is then fast. A
   * drain cannot be undone. Another call returns the progress.
   */
  begin(): DrainSummary {
    return this.summaryOf(this.start());
  }

  /** The progress; undefined if no drain has begun. */
  get progress(): DrainSummary | undefined {
    return this.underWay && this.summaryOf(this.underWay);
  }

  /** Drains, if that has not begun, and resolves when no session is left. */
  async complete(): Promise<void> {
    await this.start().isOver;
  }

  private start(): DrainUnderWay {
    if (this.underWay !== undefined) return this.underWay;
    this.state.draining();
    const sessions = [...this.sessions];
    const windowMs = this.reconnectWindowMs(sessions.length);
    // At once, so that no more clients are sent here.
    void this.reporter.report();
    if (sessions.length > 0)
      this.logger.log({ msg: 'draining', sessions: sessions.length, reconnectWindowMs: windowMs });
    this.underWay = {
      startedAt: Date.now(),
      leaving: sessions.length,
      reconnectWindowMs: windowMs,
      isOver: this.letGo(sessions, windowMs),
    };
    this.emit('began', this.summaryOf(this.underWay));
    return this.underWay;
  }

  private summaryOf(underWay: DrainUnderWay): DrainSummary {
    const { isOver: _, ...summary } = underWay;
    return { ...summary, remaining: this.sessions.size };
  }

  private reconnectWindowMs(leaving: number): number {
    const { nodes, self } = this.registry;
    const others = nodes.filter(({ nodeId }) => nodeId !== self.nodeId);
    const least = this.settings.lifecycle.reconnectWindowMs;
    try {
      return reconnectWindowMs(leaving, others, least);
    } catch (error) {
      // Reports of other nodes must not keep this node from shutting down.
      this.logger.warn({ msg: 'cannot calculate the reconnect window', reason: String(error) });
      return least;
    }
  }

  private async letGo(sessions: readonly Session[], windowMs: number): Promise<void> {
    const { drainTimeoutMs } = this.settings.lifecycle;
    const beganAt = performance.now();
    const lastCallMs = Math.min(LAST_CALL_MS, drainTimeoutMs * LAST_CALL_SHARE);
    const lastCall = timeLimit(drainTimeoutMs - lastCallMs);
    const end = timeLimit(drainTimeoutMs);
    await this.sayGoodbye(sessions, String(windowMs));
    await this.waitUntilEmpty(lastCall);
    const cut = this.sessions.size;
    if (cut > 0) await this.cut(end, String(windowMs));
    this.emit('ended', Math.round(performance.now() - beganAt), cut);
  }

  private async sayGoodbye(sessions: readonly Session[], reason: string): Promise<void> {
    const batches = Math.max(1, Math.floor((this.settings.lifecycle.drainTimeoutMs * SHARE_OF_TIMEOUT) / PAUSE_MS));
    const batchSize = Math.max(MIN_BATCH, Math.ceil(sessions.length / batches));
    for (let start = 0; start < sessions.length; start += batchSize) {
      if (start > 0) await pause(PAUSE_MS);
      for (const session of sessions.slice(start, start + batchSize)) session.closeWhenAnswered('draining', reason);
    }
  }

  private async waitUntilEmpty(limit: TimeLimit): Promise<void> {
    while (this.sessions.size > 0 && !limit.isOver) await pause(10);
  }

  /** Time is up: handlers still run, or clients do not answer the closing handshake. */
  private async cut(end: TimeLimit, reason: string): Promise<void> {
    this.logger.warn({ msg: 'closing sessions that did not end in time', sessions: this.sessions.size });
    for (const session of this.sessions) session.close('draining', reason);
    await this.waitUntilEmpty(end);
    for (const session of this.sessions) session.connection.terminate();
  }
}

interface TimeLimit {
  readonly isOver: boolean;
}

/** By a timer, because the clocks of an application under test may stand still while it closes. */
function timeLimit(ms: number): TimeLimit {
  const limit = { isOver: false };
  void pause(ms, undefined, { ref: false }).then(() => (limit.isOver = true));
  return limit;
}
