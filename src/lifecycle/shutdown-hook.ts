import { Injectable, type BeforeApplicationShutdown, type OnApplicationShutdown } from '@nestjs/common';
import { Drain } from './drain.js';
import { NodeReporter } from './node-reporter.js';
import { ServerState } from './server-state.js';

/** The end of the process as others see it: clients leave, then other nodes forget this one. */
@Injectable()
export class ShutdownHook implements BeforeApplicationShutdown, OnApplicationShutdown {
  constructor(
    private readonly drain: Drain,
    private readonly reporter: NodeReporter,
    private readonly state: ServerState,
  ) {}

  async beforeApplicationShutdown(): Promise<void> {
    await this.drain.complete();
    await this.reporter.withdraw();
  }

  onApplicationShutdown(): void {
    this.state.stopped();
  }
}
