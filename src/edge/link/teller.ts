import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { Pause } from '../../channels/pause.js';
import type { UpstreamError } from './client-library.js';
import type { Upstream } from './upstream.js';

const ANSWER_MS = 10_000;
/** A centre of an older release does not know the message. It may be updated. */
const UNKNOWN_PAUSE_MS = 300_000;

/** Tells the centre something again and again, as long as there is a link. */
export abstract class Teller implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly pause = new Pause();
  private running: Promise<void> | undefined;

  constructor(
    private readonly link: Pick<Upstream, 'whenUp' | 'request'>,
    private readonly everyMs: number,
  ) {}

  onApplicationBootstrap(): void {
    this.running = this.run();
  }

  async onApplicationShutdown(): Promise<void> {
    this.pause.end();
    await this.running;
  }

  /** Whatever it throws, it is called again. */
  protected abstract tell(): Promise<void>;

  protected async send(type: string, data: unknown): Promise<void> {
    await this.link.request(type, data, { timeoutMs: ANSWER_MS, retry: false });
  }

  private async run(): Promise<void> {
    while (!this.pause.hasEnded) {
      await this.pause.until((wake) => void this.link.whenUp().then(wake));
      if (this.pause.hasEnded) return;
      await this.pause.for(await this.pauseAfterTelling());
    }
  }

  private async pauseAfterTelling(): Promise<number> {
    try {
      await this.tell();
      return this.everyMs;
    } catch (error) {
      return (error as UpstreamError).code === 'UNKNOWN_MESSAGE_TYPE' ? UNKNOWN_PAUSE_MS : this.everyMs;
    }
  }
}
