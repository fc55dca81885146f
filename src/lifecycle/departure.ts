import { Injectable, type BeforeApplicationShutdown, type OnApplicationShutdown } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Server } from 'node:http';
import { Drain } from './drain.js';
import { NodeReporter } from './node-reporter.js';
import { ServerState } from './server-state.js';

/** How long HTTP requests under way may take once the last session has left. */
const LAST_REQUESTS_MS = 1_000;

/** The end of the process, as far as others notice it: clients leave, then other nodes forget this one. */
@Injectable()
export class Departure implements BeforeApplicationShutdown, OnApplicationShutdown {
  constructor(
    private readonly drain: Drain,
    private readonly reporter: NodeReporter,
    private readonly state: ServerState,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  async beforeApplicationShutdown(): Promise<void> {
    await this.drain.complete();
    await this.reporter.withdraw();
    this.boundLastRequests();
  }

  onApplicationShutdown(): void {
    this.state.stopped();
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
