import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationShutdown } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Server } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Settings } from '../../config/settings.js';
import type { Session } from '../sessions/session.js';
import { SessionRegistry } from '../sessions/session-registry.js';
import { ServerState } from './server-state.js';

export const LIFECYCLE_SETTINGS = Symbol('LifecycleSettings');
export type LifecycleSettings = Settings['lifecycle'];

const PAUSE_MS = 50;
/** Half the time goes to saying goodbye in batches, the rest to handlers in flight and closing handshakes. */
const SHARE_OF_TIMEOUT = 0.5;
const MIN_BATCH = 100;
/** Left at the end for close frames to those whose handlers would not finish: this long, or this share of a short time. */
const LAST_CALL_MS = 500;
const LAST_CALL_SHARE = 0.25;
/** How long HTTP requests under way may take once the last session has left. */
const LAST_REQUESTS_MS = 1_000;

/** Lets every client go before the process ends: in batches with pauses, so that they do not all return at once. */
@Injectable()
export class Drain implements BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly logger = new Logger('Drain');

  constructor(
    @Inject(LIFECYCLE_SETTINGS) private readonly settings: LifecycleSettings,
    private readonly sessions: SessionRegistry,
    private readonly state: ServerState,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  async beforeApplicationShutdown(): Promise<void> {
    const { drainTimeoutMs } = this.settings;
    const deadline = performance.now() + drainTimeoutMs;
    this.state.draining();
    const leaving = [...this.sessions];
    if (leaving.length > 0) this.logger.log(`Draining; open sessions: ${leaving.length}`);

    await this.sayGoodbye(leaving);
    await this.waitUntilEmpty(deadline - Math.min(LAST_CALL_MS, drainTimeoutMs * LAST_CALL_SHARE));
    if (this.sessions.size > 0) await this.cut(deadline);
    this.boundLastRequests();
  }

  onApplicationShutdown(): void {
    this.state.stopped();
  }

  private async sayGoodbye(sessions: readonly Session[]): Promise<void> {
    const { drainTimeoutMs, reconnectWindowMs } = this.settings;
    const batches = Math.max(1, Math.floor((drainTimeoutMs * SHARE_OF_TIMEOUT) / PAUSE_MS));
    const batchSize = Math.max(MIN_BATCH, Math.ceil(sessions.length / batches));
    for (let start = 0; start < sessions.length; start += batchSize) {
      if (start > 0) await pause(PAUSE_MS);
      for (const session of sessions.slice(start, start + batchSize)) {
        session.closeWhenAnswered('draining', String(reconnectWindowMs));
      }
    }
  }

  private async waitUntilEmpty(deadline: number): Promise<void> {
    while (this.sessions.size > 0 && performance.now() < deadline) await pause(10);
  }

  /** Time is up: handlers still run, or clients do not answer the closing handshake. */
  private async cut(deadline: number): Promise<void> {
    this.logger.warn(`${this.sessions.size} sessions did not end in time and are cut off`);
    for (const session of this.sessions) session.close('draining', String(this.settings.reconnectWindowMs));
    await this.waitUntilEmpty(deadline);
    for (const session of this.sessions) session.connection.terminate();
  }

  /**
   * Nest closes the HTTP server next, which waits for every connection that has not finished a request: also for one
   * that a load balancer or browser opened in advance, or that never ends its request, and then forever.
   */
  private boundLastRequests(): void {
    const http = this.adapterHost.httpAdapter.getHttpServer() as Server;
    setTimeout(() => http.closeAllConnections(), LAST_REQUESTS_MS).unref();
  }
}
