import { Injectable } from '@nestjs/common';
import type { Server } from 'node:http';
import type { WebSocketServer } from 'ws';
import type { Acceptance, EndpointTraits, Upgrade } from '../upgrade/decision.js';
import { answersSent, isAnswering } from '../upgrade/pending/pending-answers.js';
import { PendingConnections } from '../upgrade/pending/pending-connections.js';
import { UpgradeEvents } from '../upgrade/upgrade-events.js';
import { UpgradePolicy } from '../upgrade/upgrade-policy.js';
import { answerRejection } from './answer-rejection.js';
import { completeUpgrade } from './complete-upgrade.js';
import { continueAsHttp } from './continue-as-http.js';
import type { Receive } from './session-opener.js';

/** The endpoint that accepts the clients of one path. */
export interface Endpoint extends EndpointTraits {
  readonly server: WebSocketServer;
  readonly receive: Receive;
}

/** Carries out the decision of the policy for each upgrade request. */
@Injectable()
export class Handshakes {
  constructor(
    private readonly policy: UpgradePolicy,
    private readonly pendingConnections: PendingConnections,
    private readonly events: UpgradeEvents,
  ) {}

  /** @param http the server of the request, in case it is not a WebSocket upgrade */
  async serve(upgrade: Upgrade, endpoints: ReadonlyMap<string, Endpoint>, http: Server): Promise<void> {
    const { socket } = upgrade;
    if (isAnswering(socket)) await answersSent(socket);
    // An earlier response has ended the connection.
    if (!socket.writable) return void socket.destroy();

    const decision = await this.policy.decide(upgrade, (path) => endpoints.get(path));
    if (decision.outcome === 'not ours') return continueAsHttp(http, upgrade);
    const confirmed = decision.outcome === 'accept' ? this.policy.confirm(decision) : decision;
    if (confirmed.outcome === 'reject') answerRejection(upgrade, confirmed);
    else this.open(confirmed, endpoints.get(confirmed.path));
  }

  private open(accepted: Acceptance, endpoint: Endpoint | undefined): void {
    const { upgrade, principal } = accepted;
    const isOpen = endpoint !== undefined && this.complete(accepted, endpoint);
    if (isOpen) this.pendingConnections.admitted(upgrade.socket);
    // `ws` has found a fault that only it checks, and left the answer to us.
    else if (upgrade.socket.writable)
      answerRejection(upgrade, this.policy.reject(accepted, 'bad_extensions', principal));
  }

  private complete(accepted: Acceptance, { server, receive }: Endpoint): boolean {
    let isOpen = false;
    try {
      isOpen = completeUpgrade(accepted, server, (connection) => {
        receive(accepted, connection);
        const { sessionId, principal, codec, client, upgrade } = accepted;
        const { request, arrivedAt } = upgrade;
        this.events.emit('accepted', { request, arrivedAt, principal, sessionId, codec, address: client.address });
      });
    } finally {
      if (!isOpen) this.policy.withdraw(accepted);
    }
    return isOpen;
  }
}
