import type { ChannelName } from '../../cluster/ports/broker.js';
import type { MirrorStore } from './mirror-store.js';
import type { MirroredChannel } from './mirrored-channel.js';

/** Beyond it, channels that nobody here reads are forgotten. */
export const MAX_CHANNELS = 10_000;

/** The mirrored channels that this node knows, within its bounds. The one that was unused for longest comes first. */
export class KnownChannels implements Iterable<MirroredChannel> {
  private readonly channels = new Map<ChannelName, MirroredChannel>();
  private bytes = 0;

  /** @param budgetBytes for all histories. 0: no limit */
  constructor(
    private readonly store: MirrorStore,
    private readonly budgetBytes: number,
  ) {}

  get isFull(): boolean {
    return this.channels.size >= MAX_CHANNELS;
  }

  [Symbol.iterator](): Iterator<MirroredChannel> {
    return this.channels.values();
  }

  get(name: ChannelName): MirroredChannel | undefined {
    return this.channels.get(name);
  }

  add(channel: MirroredChannel): void {
    this.channels.set(channel.name, channel);
    this.count(channel);
  }

  forget(channel: MirroredChannel): void {
    if (!this.channels.delete(channel.name)) return;
    this.bytes -= channel.countedBytes;
    this.store.changed(channel.name, undefined);
  }

  /** Its log has changed. */
  changed(channel: MirroredChannel): void {
    this.channels.delete(channel.name);
    this.channels.set(channel.name, channel);
    this.saved(channel);
    if (this.budgetBytes > 0 && this.bytes > this.budgetBytes) this.keepToBudget(channel);
  }

  /** Removes publications that are too old or too many. */
  trim(channel: MirroredChannel): void {
    const removed = channel.log?.trim(channel.limits, Date.now()) ?? 0;
    if (removed > 0) this.saved(channel);
  }

  /** The channels that were unused for longest lose their history first; the newest one only what is too much. */
  private keepToBudget(newest: MirroredChannel): void {
    for (const channel of this.channels.values()) {
      const { log } = channel;
      if (log === undefined) continue;
      const { publications } = log;
      while (publications.length > 0 && this.bytes > this.budgetBytes) {
        log.drop(channel === newest ? 1 : publications.length);
        this.saved(channel);
      }
      if (this.bytes <= this.budgetBytes) return;
    }
  }

  private saved(channel: MirroredChannel): void {
    this.count(channel);
    this.store.changed(channel.name, channel.log);
  }

  private count(channel: MirroredChannel): void {
    const bytes = channel.log?.bytes ?? 0;
    this.bytes += bytes - channel.countedBytes;
    channel.countedBytes = bytes;
  }
}
