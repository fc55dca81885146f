import { Injectable } from '@nestjs/common';
import { giverOf, isAbove, readGiver, type GivenOrder } from '../cluster/ports/given-order.js';
import { NodeBus, sumOf } from '../cluster/ports/node-bus.js';
import { SessionRegistry } from '../sessions/session-registry.js';
import type { Session } from '../sessions/session.js';
import { AccessEvents } from './access-events.js';
import { standingOf } from './lists/standing.js';

interface Order extends GivenOrder {
  readonly target: 'user' | 'session';
  readonly id: string;
  readonly reason?: string;
}

const KIND = 'expel';
/** RFC 6455 §5.5 leaves 125 bytes, of which the code takes two. */
const MAX_REASON_BYTES = 123;

/** Ends sessions on any node, with close 4409. The client may come back; a ban keeps it out. */
@Injectable()
export class SessionTermination {
  constructor(
    private readonly bus: NodeBus,
    private readonly sessions: SessionRegistry,
    private readonly events: AccessEvents,
  ) {
    bus.handle(KIND, (payload) => this.carryOut(orderOf(payload)));
  }

  /**
   * Ends all sessions of a user.
   *
   * @param reason the close reason for the clients, cut to 123 bytes
   * @param given sessions of people who stand above the giver stay open; default: none do
   * @returns how many sessions ended, over all nodes that answered
   */
  async user(userId: string, reason?: string, given: GivenOrder = {}): Promise<number> {
    return this.everywhere({ target: 'user', id: userId, ...withReason(reason), ...readGiver(given) });
  }

  /**
   * Ends one session.
   *
   * @returns how many sessions ended: 0 or 1
   */
  async session(sessionId: string, reason?: string, given: GivenOrder = {}): Promise<number> {
    const order: Order = { target: 'session', id: sessionId, ...withReason(reason), ...readGiver(given) };
    return this.sessions.get(sessionId) ? this.carryOut(order) : this.everywhere(order);
  }

  /** Like `user`, on this node only. */
  userHere(userId: string, reason?: string, given: GivenOrder = {}): number {
    return this.end(this.sessions.ofUser(userId), reason, given);
  }

  private async everywhere(order: Order): Promise<number> {
    const here = this.carryOut(order);
    return here + sumOf(await this.bus.ask<number>(KIND, order));
  }

  private carryOut({ target, id, reason, ...given }: Order): number {
    if (target === 'user') return this.userHere(id, reason, given);
    const session = this.sessions.get(id);
    return session ? this.end([session], reason, given) : 0;
  }

  private end(sessions: readonly Session[], reason: string | undefined, given: GivenOrder): number {
    const giver = giverOf(given);
    // Also sessions whose clients have closed, and whose last messages are being handled.
    const open = sessions.filter(
      ({ connection, principal }) => connection.isServed && !isAbove(standingOf(principal), giver),
    );
    for (const session of open) {
      session.close('ended_by_operator', closeReason(reason));
      this.events.emit('expelled', session);
    }
    return open.length;
  }
}

function orderOf(payload: unknown): Order {
  const { target, id, reason } = payload as Order;
  if ((target !== 'user' && target !== 'session') || typeof id !== 'string')
    throw new TypeError('Invalid termination order');
  return { target, id, ...withReason(reason), ...readGiver(payload as Order) };
}

function withReason(reason: unknown): Pick<Order, 'reason'> {
  return typeof reason === 'string' ? { reason } : {};
}

/**
 * An operator's reason, cut to the length of a close frame. Undefined, which stands for the text of the registry, if
 * nothing is left.
 */
function closeReason(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  let reason = '';
  let bytes = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > MAX_REASON_BYTES) break;
    reason += character;
  }
  return reason;
}
