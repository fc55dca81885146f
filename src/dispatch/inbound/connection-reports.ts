import type { CloseName } from '@gatehouse/protocol';
import type { SessionEvents } from '../../sessions/session-events.js';
import type { Session } from '../../sessions/session.js';
import type { ConnectionListener } from '../../socket/connection-listener.js';
import type { OverflowReason } from '../../socket/outbound-budget.js';
import type { ShedReason } from '../../socket/outbound-observer.js';

type Reports = Pick<ConnectionListener, 'overflowed' | 'shed' | 'roundTrip' | 'vanished' | 'breached'>;

/** Passes on what a connection reports of itself, as events of its session. */
export abstract class ConnectionReports implements Reports {
  abstract readonly session: Session;
  protected abstract readonly events: SessionEvents;

  overflowed(reason: OverflowReason, droppedFrames: number): void {
    this.events.emit('overflowed', this.session, reason, droppedFrames);
  }

  shed(reason: ShedReason, droppedFrames: number): void {
    this.events.emit('shed', reason, droppedFrames);
  }

  roundTrip(milliseconds: number): void {
    this.events.emit('roundTrip', milliseconds);
  }

  vanished(): void {
    this.events.emit('vanished', this.session);
  }

  breached(name: CloseName): void {
    this.events.emit('breached', this.session, name);
  }
}
