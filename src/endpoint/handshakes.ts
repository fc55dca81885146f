import { Injectable } from '@nestjs/common';
import type { IncomingMessage, Server } from 'node:http';
import { Server as TlsServer } from 'node:tls';
import type { WebSocketServer } from 'ws';
import type { Acceptance, EndpointTraits, Upgrade } from '../upgrade/decision.js';
import { answersSent, isAnswering } from '../upgrade/pending/pending-answers.js';
import { PendingConnections } from '../upgrade/pending/pending-connections.js';
import { UpgradeEvents } from '../upgrade/upgrade-events.js';
import { UpgradePolicy } from '../upgrade/upgrade-policy.js';
import { answerRejection } from './answer-rejection.js';
import { completeUpgrade } from './complete-upgrade.js';
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

  private complete(accepted: Acceptance, endpoint: Endpoint): boolean {
    let isOpen = false;
    try {
      isOpen = completeUpgrade(accepted, endpoint, (connection) => {
        endpoint.receive(accepted, connection);
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

/**
 * Gives the connection back to Node's HTTP server, as if the request had offered nothing, which RFC 9110 §7.8 always
 * allows. Node passes every request with an Upgrade header to the upgrade listener, whatever its method, and reads
 * neither its body nor anything after it. So the request is put back in front of the received bytes, without the
 * header.
 */
function continueAsHttp(server: Server, { request, socket, head }: Upgrade): void {
  socket.unshift(Buffer.concat([headOf(request), head]));
  // The documented way to give a connection to a server. For a TLS server, one whose handshake is complete.
  server.emit(server instanceof TlsServer ? 'secureConnection' : 'connection', socket);
}

/** The bytes of the request up to its body. Node decodes the target and the headers as Latin-1. */
function headOf({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (name.toLowerCase() !== 'upgrade') text += `${name}: ${rawHeaders[index + 1] ?? ''}\r\n`;
  }
  return Buffer.from(`${text}\r\n`, 'latin1');
}
