import { MemoryBroker } from '../memory/memory-broker.js';
import type { ChannelName, Draft, HistoryQuery, PublishOptions } from '../ports/broker.js';
import { encodeDraft } from '../ports/draft-codec.js';
import { encodeFrame } from './frames.js';
import { ownCopy } from './own-copy.js';
import { EVENT, LongAnswer, type ToWorker } from './remote-messages.js';

/** A worker that can be sent a frame. */
export interface Receiver {
  write(frame: Buffer): void;
}

/** A publication as workers read it. The draft is encoded. `after` is there in a cell of a state channel. */
export type WirePublication = readonly [
  seq: number,
  ts: number,
  bytes: number,
  draft: Uint8Array,
  after?: number | undefined,
];
export type WireLimits = readonly [size: number, ageMs: number] | undefined;

/**
 * The broker in memory, with several subscribed workers. What is published stays encoded here: only workers read it.
 */
export class HostBroker {
  readonly memory: MemoryBroker;
  private readonly receivers = new Map<ChannelName, Set<Receiver>>();

  constructor(budgetBytes: number) {
    this.memory = new MemoryBroker(budgetBytes);
    this.memory.listen({
      published: (channel, { seq, ts, bytes, data, after, ...draft }, epoch) => {
        const publication: WirePublication = [seq, ts, bytes, draftOf({ ...draft, data }), after];
        // Once for all workers.
        const frame = encodeFrame([EVENT, 'published', [channel, epoch, publication]] satisfies ToWorker);
        for (const receiver of this.receivers.get(channel) ?? []) receiver.write(frame);
      },
      interrupted: () => {},
    });
  }

  async subscribe(receiver: Receiver, channel: ChannelName): Promise<void> {
    const receivers = this.receivers.get(channel) ?? new Set();
    this.receivers.set(channel, receivers.add(receiver));
    await this.memory.subscribe(channel);
  }

  unsubscribe(receiver: Receiver, channel: ChannelName): void {
    const receivers = this.receivers.get(channel);
    if (!receivers?.delete(receiver) || receivers.size > 0) return;
    this.receivers.delete(channel);
    this.memory.unsubscribe(channel);
  }

  /** The connection of a worker has ended. */
  unsubscribeAll(receiver: Receiver): void {
    for (const channel of this.receivers.keys()) this.unsubscribe(receiver, channel);
  }

  async publish(
    channel: ChannelName,
    draft: Uint8Array,
    { limits, ...once }: Pick<PublishOptions, 'idempotencyKey' | 'mark'> & { readonly limits: WireLimits },
  ): Promise<readonly [epoch: string | undefined, seq: number, isRepeat: boolean]> {
    const history = historyOf(limits);
    const options: PublishOptions = { history, ...once };
    const { position, isRepeat } = this.memory.publishNow(channel, wrapped(draft, history !== undefined), options);
    return [position?.epoch, position?.seq ?? 0, isRepeat];
  }

  async history(channel: ChannelName, query: HistoryQuery): Promise<LongAnswer> {
    const { top, publications } = await this.memory.history(channel, query);
    const items = publications.map(({ seq, ts, bytes, ...draft }): WirePublication => [seq, ts, bytes, draftOf(draft)]);
    return new LongAnswer(items, [top.epoch, top.seq]);
  }

  close(): Promise<void> {
    this.receivers.clear();
    return this.memory.close();
  }
}

/** A draft of a worker, as the memory engine keeps it. */
export function wrapped(draft: Uint8Array, isKept: boolean): Draft {
  const data = isKept ? ownCopy(draft) : draft;
  return { data, from: undefined, excludeSession: undefined, expiresAt: undefined };
}

export function historyOf(limits: WireLimits): PublishOptions['history'] {
  return limits && { size: limits[0], ageMs: limits[1] };
}

/** The engine itself publishes that values of a state channel have expired. */
function draftOf(draft: Draft): Uint8Array {
  return draft.data instanceof Uint8Array ? draft.data : encodeDraft(draft);
}
