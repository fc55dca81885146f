import type { Codec, Subprotocol } from '../protocol/codec.js';
import type { OutboundMessage } from '../protocol/envelope.js';
import type { SessionEvents } from '../sessions/session-events.js';
import type { Session } from '../sessions/session.js';
import { frame, OPCODE } from '../socket/frame.js';

interface Edition {
  readonly bytes: Buffer;
  taken: number;
}

/** One message for many: encoded and framed once for each codec that has a receiver, and then only handed on. */
export class Publication {
  private readonly editions = new Map<Subprotocol, Edition>();

  constructor(private readonly message: OutboundMessage) {}

  /** @throws TypeError or RangeError when the data cannot be encoded */
  deliverTo({ codec, connection }: Session): void {
    const edition = this.editionFor(codec);
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

  private editionFor(codec: Codec): Edition {
    const present = this.editions.get(codec.subprotocol);
    if (present) return present;
    const opcode = codec.frameKind === 'text' ? OPCODE.text : OPCODE.binary;
    const made = { bytes: frame(opcode, codec.encode(this.message)), taken: 0 };
    this.editions.set(codec.subprotocol, made);
    return made;
  }
}
