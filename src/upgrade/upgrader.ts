import { Inject, Injectable } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocketServer } from 'ws';
import { Settings } from '../../config/settings.js';
import type { AddressRecord } from '../access/address-book.js';
import type { ClientAddress } from '../access/address-key.js';
import { ConnectionLimits } from '../access/connection-limits.js';
import { Revocations } from '../access/revocations.js';
import type { PlaceOwner } from '../access/shared-places.js';
import { findCredentials, type Credentials } from '../authentication/credentials.js';
import { anonymousPrincipal, guestPrincipal, type Principal } from '../authentication/principal.js';
import { TokenVerifier, type VerdictReason } from '../authentication/token-verifier.js';
import { Readiness } from '../lifecycle/readiness.js';
import type { Codec, Subprotocol } from '../protocol/codec.js';
import { chooseSubprotocol, CODECS, DEFAULT_SUBPROTOCOL } from '../protocol/subprotocols.js';
import { newSessionId, type SessionId } from '../sessions/session.js';
import type { Connection } from '../socket/connection.js';
import { rememberChoice } from './chosen-subprotocol.js';
import { clientAddressReader } from './client-address.js';
import { Doorstep } from './doorstep.js';
import { handshakeFault } from './handshake.js';
import { originPolicy, type OriginPolicy } from './origin-policy.js';
import type { RefusalReason } from './refusals.js';
import { secureRequestReader } from './secure-request.js';
import { turnAway } from './turn-away.js';
import { UpgradeEvents } from './upgrade-events.js';
import { within } from './within.js';

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

/** The ladder of refusals, cheapest first. Whoever comes to its end has a connection. */
@Injectable()
export class Upgrader {
  private readonly addressOf: (request: IncomingMessage) => ClientAddress;
  private readonly isAllowedOrigin: OriginPolicy;
  private readonly isSecureEnough: (request: IncomingMessage) => boolean;

  constructor(
    @Inject(Settings) private readonly settings: UpgradeSettings,
    private readonly events: UpgradeEvents,
    private readonly doorstep: Doorstep,
    private readonly readiness: Readiness,
    private readonly limits: ConnectionLimits,
    private readonly tokens: TokenVerifier,
    private readonly revocations: Revocations,
  ) {
    this.addressOf = clientAddressReader(settings.server.trustProxy);
    this.isAllowedOrigin = originPolicy(settings.server.allowedOrigins);
    this.isSecureEnough = settings.tls.required === 'on' ? secureRequestReader(settings.server.trustProxy) : () => true;
  }

  /**
   * @param server where the connection is to live; undefined where no endpoint has the request's path
   * @param welcome called once for a client that is let in, in the turn in which its connection comes to be
   */
  async upgrade(upgrade: Upgrade, server: WebSocketServer | undefined, welcome: Welcome): Promise<void> {
    const { request, socket, arrivedAt } = upgrade;
    // A socket that breaks while its token is being checked would otherwise end the process.
    socket.on('error', destroyOnError);
    this.doorstep.heard(socket);
    const client = this.addressOf(request);
    const credentials = findCredentials(request);
    const refuse = (reason: RefusalReason, principal?: Principal): void =>
      this.refuse(upgrade, reason, { client, credentials, principal });

    const fault = this.faultOf(request) ?? (server ? this.readiness.fault : 'unknown_path');
    if (fault !== undefined || server === undefined) return refuse(fault ?? 'unknown_path');
    const place = this.limits.take(client);
    if (typeof place === 'string') return refuse(place);

    let isOpen = false;
    let owner: PlaceOwner | undefined;
    try {
      const sessionId = newSessionId();
      const decision = this.decide(request, credentials, sessionId);
      const outcome = await within(decision, this.settings.upgrade.timeoutMs, 'undecided');
      if (typeof outcome === 'string') return refuse(outcome);
      if (this.limits.areShared) {
        const limitKey = place.isExempt ? undefined : client.limitKey;
        const candidate = { sessionId, limitKey, principal: outcome.principal };
        const refusal = this.lastObjection(outcome) ?? (await this.limits.takeShared(candidate));
        if (refusal !== undefined) return refuse(refusal, outcome.principal);
        owner = candidate;
      }
      // From here to the open connection nothing waits, so concurrent upgrades cannot pass a limit together.
      const objection = this.lastObjection(outcome);
      if (objection !== undefined) return refuse(objection, outcome.principal);
      const { subprotocol } = outcome;
      const principal = this.revocations.judge(outcome.principal) ?? outcome.principal;
      const codec = CODECS[subprotocol ?? DEFAULT_SUBPROTOCOL];
      isOpen = complete(upgrade, server, subprotocol, (connection) => {
        const { address } = client;
        const found = { sessionId, principal, codec, address, place };
        const admission = { ...found, connection, socket, request, arrivedAt };
        welcome(admission);
        this.events.emit('accepted', admission);
      });
      if (isOpen) this.doorstep.admitted(socket);
      // `ws` has found what only it looks at, and left the answer to us.
      else if (socket.writable) refuse('bad_extensions', principal);
    } finally {
      this.limits.decided();
      if (!isOpen) this.limits.release(place);
      if (!isOpen && owner) this.limits.releaseShared(owner);
    }
  }

  /** What the request itself is refused for, whoever sends it. */
  private faultOf(request: IncomingMessage): RefusalReason | undefined {
    return this.isSecureEnough(request) ? handshakeFault(request) : 'tls_required';
  }

  /** origin → subprotocol → credentials */
  private async decide(request: IncomingMessage, credentials: Credentials, id: SessionId): Promise<Decision> {
    const { headers } = request;
    if (!this.isAllowedOrigin(headers.origin, headers.host)) return 'origin';
    if (!credentials.ok) return 'bad_subprotocols';

    const { offeredSubprotocols, token } = credentials;
    const subprotocol = chooseSubprotocol(offeredSubprotocols);
    if (subprotocol === undefined && offeredSubprotocols.length > 0) return 'unsupported_subprotocol';

    const { mode } = this.settings.authentication;
    if (mode === 'off') return { subprotocol, principal: guestPrincipal(`guest:${id}`) };
    if (token === undefined && mode === 'required') return 'unauthenticated';
    if (token === undefined) return { subprotocol, principal: anonymousPrincipal(`anonymous:${id}`) };
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
    this.events.emit('refused', reason, client.address, { request, arrivedAt, principal });
    const offered = credentials.ok ? credentials.offeredSubprotocols : [];
    turnAway({
      request,
      socket,
      reason,
      preference: this.settings.authentication.refusal,
      // Where nothing offered is spoken here, the first entry is echoed all the same: a browser that
      // offered some and is given none fails the handshake and never reads the close code.
      subprotocol: chooseSubprotocol(offered) ?? offered[0],
    });
  }
}

/** Finishes the handshake. False where the client has hung up meanwhile. */
function complete(
  { request, socket, head }: Upgrade,
  server: WebSocketServer,
  subprotocol: Subprotocol | undefined,
  onOpen: (connection: Connection) => void,
): boolean {
  let isOpen = false;
  socket.off('error', destroyOnError);
  rememberChoice(request, subprotocol);
  server.handleUpgrade(request, socket, head, (connection) => {
    isOpen = true;
    onOpen(connection as Connection);
  });
  return isOpen;
}

function destroyOnError(this: Duplex): void {
  this.destroy();
}
