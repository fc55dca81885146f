import { Inject, Injectable } from '@nestjs/common';
import type { Namespace } from '../../config/namespaces.js';
import { ChannelsSettings } from './channels-settings.js';

/** Namespaces that are counted separately. Further ones in the file are counted together. */
export const MAX_NAMESPACES_TOLD_APART = 100;
const THE_OTHERS = 'other';

/** Counts of one namespace on this node. Plain numbers, because they change with every publication. */
export class NamespaceCount {
  /** Channels with subscribers here. */
  channels = 0;
  /** Their sessions. A session in two channels counts twice. */
  subscriptions = 0;
  /** Publications made on this node, without repeats of an idempotency key. */
  publications = 0;
  /**
   * Publications queued for subscribers here, counted once per receiver, without those in replies to recoveries and
   * history requests.
   */
  deliveries = 0;

  /** The number of subscribers of a channel has changed. */
  changed(now: number, before: number): void {
    this.subscriptions += now - before;
    this.channels += Number(now > 0) - Number(before > 0);
  }
}

/** Counts by namespace. */
@Injectable()
export class NamespaceCounts implements Iterable<readonly [namespace: string, count: NamespaceCount]> {
  private readonly counts = new Map<string, NamespaceCount>();
  private readonly others = new NamespaceCount();

  constructor(@Inject(ChannelsSettings) { namespaces }: Pick<ChannelsSettings, 'namespaces'>) {
    for (const name of [...namespaces.keys()].slice(0, MAX_NAMESPACES_TOLD_APART)) {
      this.counts.set(name, new NamespaceCount());
    }
    if (namespaces.size > MAX_NAMESPACES_TOLD_APART) this.counts.set(THE_OTHERS, this.others);
  }

  of({ name }: Namespace): NamespaceCount {
    return this.counts.get(name) ?? this.others;
  }

  [Symbol.iterator](): Iterator<readonly [string, NamespaceCount]> {
    return this.counts.entries();
  }
}
