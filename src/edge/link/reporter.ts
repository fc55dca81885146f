import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Pause } from '../../channels/pause.js';
import { EdgeFacts } from '../edge-facts.js';
import { REPORT_MS } from '../edge-report.js';
import type { UpstreamError } from './client-library.js';
import { Upstream } from './upstream.js';

const ANSWER_MS = 10_000;
/** A centre of an older release does not know reports. It may be updated. */
const UNKNOWN_PAUSE_MS = 300_000;

/** Tells the centre how this edge is, as long as there is a link. */
@Injectable()
export class Reporter implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly pause = new Pause();
  private running: Promise<void> | undefined;

  constructor(
    private readonly upstream: Upstream,
    @Inject(EdgeFacts) private readonly facts: Pick<EdgeFacts, 'read'>,
  ) {}

  onApplicationBootstrap(): void {
    this.running = this.run();
  }

  async onApplicationShutdown(): Promise<void> {
    this.pause.end();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.pause.hasEnded) {
      await this.pause.until((wake) => void this.upstream.whenUp().then(wake));
      if (this.pause.hasEnded) return;
      await this.pause.for(await this.report());
    }
  }

  /** Resolves with the pause before the next report. A report that is lost is of no use later. */
  private async report(): Promise<number> {
    try {
      const options = { timeoutMs: ANSWER_MS, retry: false };
      await this.upstream.request('edge.report', await this.facts.read(), options);
      return REPORT_MS;
    } catch (error) {
      return (error as UpstreamError).code === 'UNKNOWN_MESSAGE_TYPE' ? UNKNOWN_PAUSE_MS : REPORT_MS;
    }
  }
}
