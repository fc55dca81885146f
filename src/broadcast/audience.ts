import type { Publisher } from '../protocol/envelope.js';
import type { SessionEvents } from '../sessions/session-events.js';
import { Multicast } from '../sessions/multicast.js';
import type { Session } from '../sessions/session.js';

/** Calls `visit` for every session that is meant. */
export type Selection = (visit: (session: Session) => void) => void;

interface AudienceOptions {
  readonly select: Selection;
  readonly events: SessionEvents;
  readonly excluded?: readonly Session[];
  readonly publisher?: Publisher;
}

/** Those a message goes to. Immutable: `except` and `from` make another. */
export class Audience {
  constructor(private readonly options: AudienceOptions) {}

  /** Leaves out this session, as a rule the one that caused the message. */
  except(session: Session): Audience {
    return new Audience({ ...this.options, excluded: [...(this.options.excluded ?? []), session] });
  }

  /** Names the session that caused the message as its `from`. */
  from(session: Session): Audience {
    return new Audience({ ...this.options, publisher: session.publisher });
  }

  /**
   * Sends a message to everyone meant.
   *
   * @returns how many sessions took it; those whose connection is closing or too slow did not
   * @throws TypeError or RangeError when the data cannot be encoded
   */
  emit(type: string, data?: unknown): number {
    const { select, events, excluded = [], publisher } = this.options;
    const multicast = new Multicast({ type, from: publisher, data });
    select((session) => {
      if (excluded.length === 0 || !excluded.includes(session)) multicast.deliverTo(session);
    });
    return multicast.report(events);
  }
}
