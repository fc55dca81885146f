import { backoffMs } from '../../channels/backoff.js';
import { Pause } from '../../channels/pause.js';
import type { EdgeEvents, EdgeOutcome } from '../edge-events.js';
import { MAX_FORWARD_BYTES, MAX_RECORDS, type ForwardedRecord, type ForwardReply } from '../edge-protocol.js';
import type { OutboxRecord } from '../store/outbox-record.js';
import type { OutboxStream, Stored } from '../store/outbox-stream.js';
import type { Outbox } from '../store/outbox.js';
import type { Loss } from '../store/stream-counts.js';
import type { UpstreamError } from './client-library.js';
import type { Upstream } from './upstream.js';

interface ForwarderParts {
  readonly outbox: Outbox;
  readonly stream: OutboxStream;
  readonly upstream: Upstream;
  readonly events: EdgeEvents;
  /** The streams that go first. */
  readonly before: readonly OutboxStream[];
}

const ANSWER_MS = 15_000;
const MAX_TURN_MS = 1_000;
const MAX_TTL_MS = 2_147_483_647;
const FIRST_PAUSE_MS = 200;
/** The centre takes nothing from this edge. */
const NO_CENTRE: readonly string[] = ['UNKNOWN_MESSAGE_TYPE', 'FORBIDDEN', 'UNAUTHENTICATED', 'VALIDATION_FAILED'];

/**
 * Sends the records of one stream to the centre, one request at a time: a second one under way could overtake the first
 * one when that is sent again. A record leaves the disk when the centre has answered for it.
 */
export class Forwarder {
  private readonly pause = new Pause();
  /** Records in the next request, at most. */
  private most = MAX_RECORDS;
  private failures = 0;
  private running: Promise<void> | undefined;

  constructor(private readonly parts: ForwarderParts) {}

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.pause.end();
    await this.running;
  }

  private async run(): Promise<void> {
    const { stream, upstream, before } = this.parts;
    while (!this.pause.hasEnded) {
      const first = before.find(({ isEmpty }) => !isEmpty);
      if (stream.isEmpty) await this.pause.until((wake) => stream.onAppended(wake));
      else if (!upstream.isUp) await this.pause.until((wake) => void upstream.whenUp().then(wake));
      // Not for ever: one that cannot be sent must not hold up the others.
      else if (first !== undefined) await this.pause.for(MAX_TURN_MS, (wake) => first.onEmptied(wake));
      if (this.pause.hasEnded || stream.isEmpty || !upstream.isUp) continue;
      await this.sendNext().catch((error: UpstreamError) => this.failed(error));
    }
  }

  private async sendNext(): Promise<void> {
    const { outbox, stream } = this.parts;
    const stored = await outbox.read(stream, { records: this.most, bytes: MAX_FORWARD_BYTES });
    const now = outbox.clock.now();
    const lossOf = ({ record }: Stored): Loss | undefined => {
      if (record === undefined) return 'damaged';
      return record.ttlMs > 0 && now - record.at > record.ttlMs ? 'expired' : undefined;
    };
    const [first] = stored;
    if (first === undefined) return;
    const loss = lossOf(first);
    // One run at a time, because the centre compares the seqs of one run only.
    const isAlike = (each: Stored): boolean => lossOf(each) === loss && each.record?.run === first.record?.run;
    const end = stored.findIndex((each) => !isAlike(each));
    const batch = end === -1 ? stored : stored.slice(0, end);
    if (loss === undefined) await this.send(batch, now);
    else await this.lose(batch, loss);
    this.failures = 0;
  }

  private async send(batch: readonly Stored[], now: number): Promise<void> {
    const records = batch.flatMap(({ record }) => (record === undefined ? [] : [forwarded(record, now)]));
    const request = { run: batch[0]?.record?.run, records };
    let reply: ForwardReply;
    try {
      const options = { timeoutMs: ANSWER_MS, idempotent: true };
      reply = (await this.parts.upstream.request('edge.forward', request, options)) as ForwardReply;
    } catch (error) {
      if ((error as UpstreamError).code !== 'MESSAGE_TOO_LARGE') throw error;
      return this.halve(batch);
    }
    this.most = MAX_RECORDS;
    await this.settle(batch, reply);
  }

  private async settle(batch: readonly Stored[], { upTo, repeated, refused }: ForwardReply): Promise<void> {
    const { outbox, stream, events } = this.parts;
    const done = batch.filter(({ seq }) => seq <= upTo);
    if (done.length === 0) throw Object.assign(new Error('The centre took nothing'), { code: 'SERVER_BUSY' });
    await outbox.remove(stream, done, { refused: refused.length });
    for (const { seq, code } of refused) {
      events.emit('refused', stream.name, done.find((each) => each.seq === seq)?.record?.channel ?? '', code);
    }
    this.told('forwarded', done.length - repeated - refused.length);
    this.told('repeated', repeated);
    this.told('refused', refused.length);
  }

  /** The centre takes only smaller messages than these were together. */
  private async halve(batch: readonly Stored[]): Promise<void> {
    if (batch.length > 1) this.most = Math.ceil(batch.length / 2);
    else await this.lose(batch, 'refused');
  }

  private async lose(batch: readonly Stored[], loss: Loss): Promise<void> {
    const { outbox, stream, events } = this.parts;
    await outbox.remove(stream, batch, { [loss]: batch.length });
    if (loss === 'refused') events.emit('refused', stream.name, batch[0]?.record?.channel ?? '', 'MESSAGE_TOO_LARGE');
    this.told(loss, batch.length);
  }

  private told(outcome: EdgeOutcome, count: number): void {
    if (count > 0) this.parts.events.emit('settled', outcome, this.parts.stream.name, count);
  }

  /** Everything is kept, and sent again. */
  private async failed(error: UpstreamError): Promise<void> {
    if (NO_CENTRE.includes(error.code)) this.parts.upstream.turnedAway(error);
    const restMs = backoffMs(this.failures, FIRST_PAUSE_MS);
    this.failures += 1;
    await this.pause.for(Math.max(error.retryAfter ?? 0, restMs));
  }
}

function forwarded({ seq, channel, data, key, at, ttlMs }: OutboxRecord, now: number): ForwardedRecord {
  const left = ttlMs - Math.max(0, now - at);
  return {
    seq,
    channel,
    data,
    ...(ttlMs > 0 && { ttlMs: Math.max(1, Math.min(left, MAX_TTL_MS)) }),
    ...(key !== undefined && { key }),
  };
}
