import { Injectable } from '@nestjs/common';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ConnectionLimits } from '../../access/limits/connection-limits.js';
import type { QueuesAnswer } from './queues.answer.js';
import { SessionRegistry } from '../../sessions/session-registry.js';
import { InboundBudget } from '../../socket/inbound-budget.js';
import { PendingConnections } from '../../upgrade/pending/pending-connections.js';
import { Fullest } from './fullest.js';

/** Sessions that are looked at in one turn of the event loop: about a millisecond. */
const SLICE = 1_000;

/** The queues to and from clients. */
@Injectable()
export class ClientQueues {
  constructor(
    private readonly sessions: SessionRegistry,
    private readonly inboundBudget: InboundBudget,
    private readonly pendingConnections: PendingConnections,
    private readonly limits: ConnectionLimits,
  ) {}

  /** Takes several turns of the event loop if there are many sessions, so that none is long. */
  async read(limit: number): Promise<Pick<QueuesAnswer, 'outbound' | 'inbound' | 'door'>> {
    const outbound = new Fullest(limit);
    const inbound = new Fullest(limit);
    let paused = 0;
    let seen = 0;
    for (const session of this.sessions) {
      const { connection } = session;
      outbound.add(session, connection.waitingBytes, connection.waitingFrames);
      inbound.add(session, connection.unhandledBytes, connection.unhandledMessages);
      if (connection.isPaused) paused += 1;
      seen += 1;
      if (seen % SLICE === 0) await nextTurn();
    }
    return {
      outbound: outbound.answer(),
      inbound: { ...inbound.answer(), paused, incompleteBytes: this.inboundBudget.bytes },
      door: { connections: this.pendingConnections.size, upgrades: this.limits.undecided },
    };
  }
}
