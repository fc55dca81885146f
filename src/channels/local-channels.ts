import { Injectable, Optional } from '@nestjs/common';
import { StateStore } from '../cluster/ports/state-store.js';
import { Traces } from '../protocol/traces.js';
import { Ledgers } from './ledger/ledgers.js';
import type { LocalChannelOptions } from './local-channel-setup.js';
import { LocalChannel } from './local-channel.js';
import { CellChannel } from './state/cell-channel.js';
import { SlowReaders } from './state/slow-readers.js';
import { StateChannel } from './state/state-channel.js';
import { StateCounts } from './state/state-counts.js';

/** Makes the channels of this node, each of its kind. */
@Injectable()
export class LocalChannels {
  constructor(
    private readonly ledgers: Ledgers,
    @Optional() readonly traces?: Traces,
    @Optional() private readonly store?: StateStore,
    @Optional() private readonly counts: StateCounts = new StateCounts(),
    @Optional() private readonly slow: SlowReaders = new SlowReaders(),
  ) {}

  make(parts: Omit<LocalChannelOptions, 'ledger'>): LocalChannel {
    const { store, counts: stateCounts, slow } = this;
    const { channel, name, hasHistory, cell } = parts.setup;
    // Presence events have no history, so nothing can be read by seq.
    const ledger = hasHistory ? this.ledgers.of(channel.namespace) : undefined;
    const options = { ...parts, ledger };
    if (store && cell !== undefined) return new CellChannel({ ...options, store, stateCounts, slow }, cell);
    const holdsState = channel.namespace.state !== undefined && name === channel.name && hasHistory;
    return holdsState && store ? new StateChannel({ ...options, store, stateCounts, slow }) : new LocalChannel(options);
  }
}
