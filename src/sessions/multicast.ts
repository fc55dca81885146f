import type { OutboundMessage } from '@gatehouse/protocol';
import type { Shedding } from '../socket/held-frames.js';
import type { FrameFormat } from './frame-format.js';
import type { SentReporter, Session } from './session.js';

interface Edition {
  readonly bytes: Buffer;
  /** Sessions that took it since the last report. */
  taken: number;
}

/** One message to many: encoded once for each format that has a receiver. */
export class Multicast {
  private readonly editions = new Map<FrameFormat, Edition>();

  /** @param shedding how it may be dropped for a slow reader; undefined: the reader is disconnected instead */
  constructor(
    private readonly message: OutboundMessage,
    private readonly shedding?: Shedding,
  ) {}

  /** @throws TypeError or RangeError if the data cannot be encoded */
  deliverTo(session: Session): void {
    this.hand(session, this.shedding);
  }

  /** Returns whether the session has taken it. */
  protected hand({ format, connection }: Session, shedding: Shedding | undefined): boolean {
    const edition = this.editionIn(format);
    const isTaken = connection.enqueue(edition.bytes, shedding);
    if (isTaken) edition.taken += 1;
    return isTaken;
  }

  /**
   * Reports all deliveries since the last report to the observers at once. Returns how many sessions took the message.
   */
  report(events: SentReporter): number {
    let taken = 0;
    for (const edition of this.editions.values()) {
      if (edition.taken === 0) continue;
      events.emit('sent', this.message.type, edition.bytes.length, edition.taken, this.message, edition.bytes);
      taken += edition.taken;
      edition.taken = 0;
    }
    return taken;
  }

  private editionIn(format: FrameFormat): Edition {
    const present = this.editions.get(format);
    if (present) return present;
    const made = { bytes: format.frame(this.message), taken: 0 };
    this.editions.set(format, made);
    return made;
  }
}
