import { Injectable } from '@nestjs/common';
import { MAX_LOSSES, type AnnouncedLoss } from '../edge-protocol.js';
import type { OutboxStream } from '../store/outbox-stream.js';
import { Outbox } from '../store/outbox.js';
import { LOSSES } from '../store/stream-counts.js';
import { Teller } from './teller.js';
import { Upstream } from './upstream.js';

export const LOOK_MS = 5_000;

/** Tells the centre which messages it will never get. The disk keeps what it was told; what fails is told again. */
@Injectable()
export class LossReporter extends Teller {
  constructor(
    upstream: Upstream,
    private readonly outbox: Outbox,
  ) {
    super(upstream, LOOK_MS);
  }

  protected override async tell(): Promise<void> {
    const losses = this.losses();
    if (losses.length === 0) return;
    await this.send('edge.losses', { losses });
    for (const { rule, outcome, after, total } of losses) {
      const stream = this.outbox.streams.get(rule);
      if (stream !== undefined) await this.outbox.told(stream, { [outcome]: total - after });
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
