import { Inject, Injectable } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocketServer } from 'ws';
import { Settings } from '../../../config/settings.js';
import type { AddressRecord } from '../../access/limits/address-book.js';
import type { ClientAddress } from '../../access/limits/address-key.js';
import { ConnectionLimits } from '../../access/limits/connection-limits.js';
import { Revocations } from '../../access/lists/revocations.js';
import type { PlaceOwner } from '../../access/limits/cluster-connection-limits.js';
import { findCredentials, type Credentials } from '../../authentication/credentials.js';
import { anonymousPrincipal, guestPrincipal, type Principal } from '../../authentication/principal.js';
import { TokenVerifier, type VerdictReason } from '../../authentication/token-verifier.js';
import { Readiness } from '../../lifecycle/readiness.js';
import type { Codec, Subprotocol } from '../../protocol/codecs/codec.js';
import { chooseSubprotocol, CODECS, DEFAULT_SUBPROTOCOL } from '../../protocol/codecs/subprotocols.js';
import { newSessionId, type SessionId } from '../../sessions/session.js';
import type { Connection } from '../../socket/connection.js';
import { clientAddressReader, trustedPeers } from './client-address.js';
import { completeUpgrade } from '../complete-upgrade.js';
import { PendingConnections } from '../pending/pending-connections.js';
import { acceptableOffer } from './extension-offers.js';
import { handshakeFault } from './handshake.js';
import { originPolicy, type OriginPolicy } from './origin-policy.js';
import type { RefusalReason } from './refusals.js';
import { secureRequestReader } from './secure-request.js';
import { rejectUpgrade } from '../reject-upgrade.js';
import { UpgradeEvents } from '../upgrade-events.js';
import { WaitingClient } from '../pending/waiting-client.js';
import { withTimeout } from '../with-timeout.js';

export type UpgradeSettings = Pick<Settings, 'server' | 'tls' | 'authentication' | 'upgrade'>;

export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** The first bytes behind the request. */
  readonly head: Buffer;
  /** Milliseconds since 1970. */
  readonly arrivedAt: number;
}

/** A client that was let in: its live connection and what the upgrade found out about it. */
export interface Admission {
  readonly sessionId: SessionId;
  readonly connection: Connection;
  readonly socket: Duplex;
  readonly request: IncomingMessage;
  readonly principal: Principal;
  readonly codec: Codec;
  readonly address: string;
  readonly arrivedAt: number;
  /** The place it takes, to be released when it closes. */
  readonly place: AddressRecord;
}

export type Welcome = (admission: Admission) => void;

type Decision = RefusalReason | { readonly principal: Principal; readonly subprotocol: Subprotocol | undefined };

interface Candidate {
  readonly request: IncomingMessage;
  readonly credentials: Credentials;
  readonly sessionId: SessionId;
  readonly server: WebSocketServer;
}

interface Findings {
  readonly client: ClientAddress;
  readonly credentials: Credentials;
  readonly principal: Principal | undefined;
}

const REASON_OF_VERDICT = {
  expired: 'token_expired',
  invalid: 'invalid_token',
  unavailable: 'keys_unavailable',
} as const satisfies Record<VerdictReason, RefusalReason>;

/** Refusals because of a ban, and those that lead to one. */
const BANNING: ReadonlySet<RefusalReason> = new Set(['banned', 'connection_rate', 'too_many_from_address']);

/** The ladder of refusals, cheapest first. Whoever comes to its end has a connection. */
@Injectable()
export class Upgrader {
  private readonly addressOf: (request: IncomingMessage) => ClientAddress;
  private readonly isAllowedOrigin: OriginPolicy;
  private readonly isProxy: (address: string) => boolean;
  private readonly isSecureEnough: (request: IncomingMessage) => boolean;

  constructor(
    @Inject(Settings) private readonly settings: UpgradeSettings,
    private readonly events: UpgradeEvents,
    private readonly pendingConnections: PendingConnections,
    private readonly readiness: Readiness,
    private readonly limits: ConnectionLimits,
    private readonly tokens: TokenVerifier,
    private readonly revocations: Revocations,
  ) {
    this.addressOf = clientAddressReader(settings.server);
    this.isAllowedOrigin = originPolicy(settings);
    this.isSecureEnough = settings.tls.required === 'on' ? secureRequestReader(settings.server) : () => true;
    this.isProxy = trustedPeers(settings.server.trustProxy);
  }

  /**
   * @param server where the connection is to live; undefined where no endpoint has the request's path
   * @param welcome called once for a client that is let in, in the turn in which its connection comes to be
   */
  async upgrade(upgrade: Upgrade, server: WebSocketServer | undefined, welcome: Welcome): Promise<void> {
    const { request, socket, arrivedAt } = upgrade;
    this.pendingConnections.heard(socket);
    const waiting = new WaitingClient(socket, upgrade.head);
    const client = this.addressOf(request);
    const credentials = findCredentials(request);
    const refuse = (reason: RefusalReason, principal?: Principal): void => {
      waiting.release();
      this.refuse(upgrade, reason, { client, credentials, principal });
    };

    const fault = this.faultOf(request) ?? (server ? this.readiness.fault : 'unknown_path');
    if (fault !== undefined || server === undefined) return refuse(fault ?? 'unknown_path');
    const place = this.limits.take(client);
    if (typeof place === 'string') return refuse(place);

    let isOpen = false;
    let owner: PlaceOwner | undefined;
    try {
      const sessionId = newSessionId();
      const outcome = await this.decision(this.decide({ request, credentials, sessionId, server }), waiting);
      if (typeof outcome === 'string') return refuse(outcome);
      if (this.limits.areShared) {
        const limitKey = place.isExempt ? undefined : client.limitKey;
        const candidate = { sessionId, limitKey, principal: outcome.principal };
        const refusal = this.lastObjection(outcome) ?? (await this.takeShared(candidate, waiting));
        if (refusal !== undefined) return refuse(refusal, outcome.principal);
        owner = candidate;
      }
      // From here to the open connection nothing waits, so concurrent upgrades cannot pass a limit together.
      const objection = this.lastObjection(outcome);
      if (objection !== undefined) return refuse(objection, outcome.principal);
      const { subprotocol } = outcome;
      const principal = this.revocations.judge(outcome.principal) ?? outcome.principal;
      const codec = CODECS[subprotocol ?? DEFAULT_SUBPROTOCOL];
      const head = waiting.release();
      isOpen = completeUpgrade({ request, socket, head, subprotocol }, server, (connection) => {
        const { address } = client;
        const found = { sessionId, principal, codec, address, place };
        const admission = { ...found, connection, socket, request, arrivedAt };
        welcome(admission);
        this.events.emit('accepted', admission);
      });
      if (isOpen) this.pendingConnections.admitted(socket);
      // `ws` has found what only it looks at, and left the answer to us.
      else if (socket.writable) refuse('bad_extensions', principal);
    } finally {
      this.limits.decided();
      if (!isOpen) this.limits.release(place);
      if (!isOpen && owner) this.limits.releaseShared(owner);
    }
  }

  /** What comes of a decision, or why nobody waits for it any more. */
  private async decision(deciding: Decision | Promise<Decision>, { gone }: WaitingClient): Promise<Decision> {
    if (!(deciding instanceof Promise)) return deciding;
    const first = Promise.race([deciding, gone]);
    const outcome = await withTimeout(first, this.settings.upgrade.timeoutMs, 'undecided');
    if (outcome === 'aborted' || outcome === 'undecided') this.limits.abandon(deciding);
    return outcome;
  }

  private async takeShared(candidate: PlaceOwner, { gone }: WaitingClient): Promise<RefusalReason | undefined> {
    const taking = this.limits.takeShared(candidate);
    const refusal = await Promise.race([taking, gone]);
    if (refusal !== 'aborted') return refusal;
    const givenBack = taking.then((late) => late ?? this.limits.releaseShared(candidate));
    this.limits.abandon(givenBack);
    return refusal;
  }

  /** What the request itself is refused for, whoever sends it. */
  private faultOf(request: IncomingMessage): RefusalReason | undefined {
    return this.isSecureEnough(request) ? handshakeFault(request) : 'tls_required';
  }

  /** origin → subprotocol → extensions → credentials */
  private decide({ request, credentials, sessionId, server }: Candidate): Decision | Promise<Decision> {
    const { headers } = request;
    if (!this.isAllowedOrigin(headers.origin, headers.host)) return 'origin';
    if (!credentials.ok) return 'bad_subprotocols';

    const { offeredSubprotocols, token } = credentials;
    const subprotocol = chooseSubprotocol(offeredSubprotocols);
    if (subprotocol === undefined && offeredSubprotocols.length > 0) return 'unsupported_subprotocol';
    const compresses = server.options.perMessageDeflate !== false;
    if (compresses && acceptableOffer(headers['sec-websocket-extensions'] ?? '') === undefined) return 'bad_extensions';

    const { mode } = this.settings.authentication;
    if (mode === 'off') return { subprotocol, principal: guestPrincipal(`guest:${sessionId}`) };
    if (token === undefined && mode === 'required') return 'unauthenticated';
    if (token === undefined) return { subprotocol, principal: anonymousPrincipal(`anonymous:${sessionId}`) };
    return this.verified(token, subprotocol);
  }

  /** Holds nothing of the request, for it may go on when its client has left. */
  private async verified(token: string, subprotocol: Subprotocol | undefined): Promise<Decision> {
    const verdict = await this.tokens.verify(token);
    return verdict.ok ? { subprotocol, principal: verdict.principal } : REASON_OF_VERDICT[verdict.reason];
  }

  /** What may have changed while the token was being checked, or other nodes were asked. */
  private lastObjection({ principal }: Exclude<Decision, string>): RefusalReason | undefined {
    const fault = this.readiness.fault;
    if (fault !== undefined) return fault;
    const judged = this.revocations.judge(principal);
    return judged === undefined ? 'token_revoked' : this.limits.refusalOfUser(judged);
  }

  private refuse({ request, socket, arrivedAt }: Upgrade, reason: RefusalReason, findings: Findings): void {
    const { client, credentials, principal } = findings;
    const ban = BANNING.has(reason) ? this.limits.banOf(client, principal) : undefined;
    this.events.emit('refused', reason, client.address, { request, arrivedAt, principal, ban });
    const offered = credentials.ok ? credentials.offeredSubprotocols : [];
    rejectUpgrade({
      request,
      socket,
      reason,
      preference: this.settings.authentication.refusal,
      isFromProxy: this.isProxy(request.socket.remoteAddress ?? ''),
      ban,
      // Where nothing offered is spoken here, the first entry is echoed all the same: a browser that
      // offered some and is given none fails the handshake and never reads the close code.
      subprotocol: chooseSubprotocol(offered) ?? offered[0],
    });
  }
}
