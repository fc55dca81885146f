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

/** What a ledger knows about a publication and a user. */
export interface About {
  readonly lines: readonly PublicationRecord[];
  readonly deliveries: readonly LedgerDelivery[];
}

/** The publications of one namespace on this node and their outcomes, in memory, as far back as its limits allow. */
export class Ledger {
  /** A record is older than its deliveries, so if it is still there, they are too. */
  readonly entries: Ring<PublicationRecord | LedgerDelivery>;
  /** Sessions that have left. Current subscribers keep their own record. */
  readonly departures: Ring<SubscriptionRecord>;
  /** Size of the records of current subscribers, in entries. */
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

  /** Records about a seq, newest first: those of the channel, and those that were sent to the user. */
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
