import { Inject, Injectable } from '@nestjs/common';
import type { Namespace } from '../../config/namespaces.js';
import { ChannelsSettings } from './channels-settings.js';

/** Namespaces that are counted each for itself; those behind them in the file are counted together. */
export const MAX_NAMESPACES_TOLD_APART = 100;
const THE_OTHERS = 'other';

/** What goes on in the channels of one namespace on this node, in plain numbers: they are counted for every publication. */
export class NamespaceCount {
  /** Channels with subscribers here. */
  channels = 0;
  /** Sessions in them: one that is in two counts twice. */
  subscriptions = 0;
  /** Made on this node. Repeats of one with the same idempotency key are none. */
  publications = 0;
  /** Publications queued for subscribers here, one a receiver; not those that a recovery or a history brings with its reply. */
  deliveries = 0;

  /** A channel has so many subscribers now, and had as many before. */
  changed(now: number, before: number): void {
    this.subscriptions += now - before;
    this.channels += Number(now > 0) - Number(before > 0);
  }
}

/** What goes on in channels, by namespace. */
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
