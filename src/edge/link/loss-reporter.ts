import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { MAX_LOSSES, type AnnouncedLoss } from '../edge-protocol.js';
import type { OutboxStream } from '../store/outbox-stream.js';
import { Outbox } from '../store/outbox.js';
import { LOSSES } from '../store/stream-counts.js';
import type { UpstreamError } from './client-library.js';
import { Pause } from '../../channels/pause.js';
import { Upstream } from './upstream.js';

const ANSWER_MS = 10_000;
export const LOOK_MS = 5_000;
/** A centre of an older release does not know losses. It may be updated. */
const UNKNOWN_PAUSE_MS = 300_000;

/** Tells the centre which messages it will never get. The disk keeps what it was told. */
@Injectable()
export class LossReporter implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly pause = new Pause();
  private running: Promise<void> | undefined;

  constructor(
    private readonly upstream: Upstream,
    private readonly outbox: Outbox,
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
      await this.pause.for(await this.announce());
    }
  }

  /** Resolves with the pause before the next look. What fails is told again. */
  private async announce(): Promise<number> {
    const losses = this.losses();
    if (losses.length === 0) return LOOK_MS;
    try {
      await this.upstream.request('edge.losses', { losses }, { timeoutMs: ANSWER_MS, retry: false });
      for (const { rule, outcome, after, total } of losses) {
        const stream = this.outbox.streams.get(rule);
        if (stream !== undefined) await this.outbox.told(stream, { [outcome]: total - after });
      }
      return LOOK_MS;
    } catch (error) {
      return (error as UpstreamError).code === 'UNKNOWN_MESSAGE_TYPE' ? UNKNOWN_PAUSE_MS : LOOK_MS;
    }
  }

  private losses(): readonly AnnouncedLoss[] {
    return [...this.outbox.streams.values()].flatMap(lossesOf).slice(0, MAX_LOSSES);
  }
}

function lossesOf({ name: rule, counts: { lost, told } }: OutboxStream): AnnouncedLoss[] {
  return LOSSES.flatMap((outcome) =>
    lost[outcome] > told[outcome] ? [{ rule, outcome, after: told[outcome], total: lost[outcome] }] : [],
  );
}
