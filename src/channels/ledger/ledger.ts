import type { LedgerLimits } from '../../../config/namespaces.js';
import { LedgerDelivery } from './ledger-delivery.js';
import { PublicationRecord } from './publication-record.js';
import { Ring } from './ring.js';
import type { SubscriptionRecord } from './subscription-record.js';

interface Wish {
  readonly channel: string;
  readonly userId: string;
  readonly seq: number;
}

/** What a ledger has about a publication and a user. */
export interface About {
  readonly lines: readonly PublicationRecord[];
  readonly deliveries: readonly LedgerDelivery[];
}

/** What became of the publications of one namespace on this node, in memory, as far back as its limits allow. */
export class Ledger {
  /** A line comes before its deliveries, so where it is still there, they are. */
  readonly entries: Ring<PublicationRecord | LedgerDelivery>;
  /** Of sessions that have left. Those that are subscribed keep their record themselves. */
  readonly departures: Ring<SubscriptionRecord>;
  /** What the records of those that are subscribed take, in entries. */
  held = 0;

  constructor(readonly limits: LedgerLimits) {
    this.entries = new Ring(limits, (entry) => (entry instanceof PublicationRecord ? entry.at : entry.line.at));
    this.departures = new Ring(
      limits,
      ({ departure }) => departure?.at ?? 0,
      ({ weight }) => weight,
    );
  }

  /** In entries, as the limits count them. */
  get size(): number {
    return this.entries.size + this.departures.size + this.held;
  }

  /** What speaks of a seq, newest first: what was told in the channel, and what of that was sent to the user. */
  about({ channel, userId, seq }: Wish): About {
    const entries = this.entries.filter((entry) => {
      const line = entry instanceof PublicationRecord ? entry : entry.line;
      if (line.channel !== channel || !line.speaksOf(seq)) return false;
      return entry === line || (entry as LedgerDelivery).userId === userId;
    });
    return {
      lines: entries.filter((entry) => entry instanceof PublicationRecord),
      deliveries: entries.filter((entry) => entry instanceof LedgerDelivery),
    };
  }
}
