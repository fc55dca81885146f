import type { OutboundMessage } from '../protocol/envelope.js';
import type { FrameFormat } from '../sessions/frame-format.js';
import type { SessionEvents } from '../sessions/session-events.js';
import type { Session } from '../sessions/session.js';

interface Edition {
  readonly bytes: Buffer;
  taken: number;
}

/** One message for many: encoded and framed once for each format that has a receiver, and then only handed on. */
export class Publication {
  private readonly editions = new Map<FrameFormat, Edition>();

  constructor(private readonly message: OutboundMessage) {}

  /** @throws TypeError or RangeError when the data cannot be encoded */
  deliverTo({ format, connection }: Session): void {
    const edition = this.editionIn(format);
    if (connection.enqueue(edition.bytes)) edition.taken += 1;
  }

  /** Tells the observers once for all deliveries. Returns how many sessions took the message. */
  report(events: SessionEvents): number {
    let taken = 0;
    for (const edition of this.editions.values()) {
      events.emit('sent', this.message.type, edition.bytes.length, edition.taken);
      taken += edition.taken;
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
