import { Inject, Injectable, Optional } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { Settings } from '../../config/settings.js';
import { reasonOfBan, reasonWithBan } from '../access/lists/ban-reason.js';
import { Revocations } from '../access/lists/revocations.js';
import type { AddressRecord } from '../access/limits/address-book.js';
import type { Origin } from '../access/limits/address-key.js';
import type { PlaceOwner } from '../access/limits/cluster-connection-limits.js';
import { ConnectionLimits } from '../access/limits/connection-limits.js';
import { findCredentials } from '../authentication/credentials.js';
import type { Principal } from '../authentication/principal.js';
import { Readiness } from '../lifecycle/readiness.js';
import { DEFAULT_SUBPROTOCOL } from '@gatehouse/protocol';
import { chooseSubprotocol, CODECS } from '../protocol/codecs/subprotocols.js';
import { newSessionId } from '../sessions/session.js';
import { ConnectDecisions, type ConnectRequest } from './connect-decisions.js';
import type { Acceptance, Applicant, Decision, EndpointTraits, Rejection, Upgrade } from './decision.js';
import { originReader, trustedPeers } from './ladder/client-address.js';
import { Eligibility, type UpgradeSettings } from './ladder/eligibility.js';
import { REFUSALS, type Refusal, type RefusalReason } from './ladder/refusals.js';
import { isForeignUpgrade, pathOf, useOriginForm } from './ladder/request-target.js';
import { PendingConnections } from './pending/pending-connections.js';
import { WaitingClient } from './pending/waiting-client.js';
import { UpgradeEvents } from './upgrade-events.js';
import { withTimeout } from './with-timeout.js';

/** A client that has taken a place on this node and waits for the rest of the decision. */
interface Placed extends Applicant {
  readonly path: string;
  readonly endpoint: EndpointTraits;
  readonly waiting: WaitingClient;
  readonly place: AddressRecord;
}

type Judged = Acceptance | { readonly reason: RefusalReason; readonly principal?: Principal };

/** Refusals because of a ban, and those that cause one. */
const BANNING: ReadonlySet<RefusalReason> = new Set(['banned', 'connection_rate', 'too_many_from_address']);

/**
 * The ladder of refusals, cheapest first. It decides about an upgrade and writes nothing: the endpoint completes the
 * handshake, or answers with the rejection.
 */
@Injectable()
export class UpgradePolicy {
  private readonly addressOf: (request: IncomingMessage) => Origin;
  private readonly isProxy: (address: string) => boolean;

  constructor(
    @Inject(Settings) private readonly settings: UpgradeSettings,
    private readonly events: UpgradeEvents,
    private readonly pendingConnections: PendingConnections,
    private readonly readiness: Readiness,
    private readonly limits: ConnectionLimits,
    private readonly eligibility: Eligibility,
    private readonly revocations: Revocations,
    @Optional() private readonly decisions?: ConnectDecisions,
  ) {
    this.addressOf = originReader(settings.server);
    this.isProxy = trustedPeers(settings.server.trustProxy);
  }

  /** @param endpointAt returns undefined if no endpoint has the path */
  async decide(upgrade: Upgrade, endpointAt: (path: string) => EndpointTraits | undefined): Promise<Decision> {
    const { request, socket } = upgrade;
    if (isForeignUpgrade(request)) return { outcome: 'not ours' };
    useOriginForm(request);
    const path = pathOf(request);
    const endpoint = endpointAt(path);
    this.pendingConnections.heard(socket);
    const client = this.addressOf(request);
    const credentials = findCredentials(request);
    const applicant = { upgrade, client, credentials };
    const fault = this.eligibility.faultOf(request) ?? (endpoint ? this.readiness.fault : 'unknown_path');
    if (fault !== undefined || endpoint === undefined) return this.reject(applicant, fault ?? 'unknown_path');
    const place = this.limits.take(client);
    if (typeof place === 'string') return this.reject(applicant, place);

    const waiting = new WaitingClient(socket, upgrade.head);
    let judged: Judged | undefined;
    try {
      judged = await this.judge({ upgrade, client, credentials, path, endpoint, waiting, place });
    } finally {
      this.limits.decided();
      if (judged === undefined || 'reason' in judged) {
        waiting.release();
        this.limits.release(place);
      }
    }
    return 'reason' in judged ? this.reject(applicant, judged.reason, judged.principal) : judged;
  }

  /**
   * Checks again what may have changed since the decision. Call it in the turn in which the connection opens: nothing
   * waits between the two, so concurrent upgrades cannot exceed a limit together.
   */
  confirm(accepted: Acceptance): Acceptance | Rejection {
    const { principal } = accepted;
    const objection = this.objectionTo(principal);
    if (objection === undefined) {
      const judged = this.revocations.judge(principal) ?? principal;
      return judged === principal ? accepted : { ...accepted, principal: judged };
    }
    this.withdraw(accepted);
    return this.reject(accepted, objection, principal);
  }

  /** Takes back the places of a client whose connection did not open. */
  withdraw({ place, sharedPlace }: Acceptance): void {
    this.limits.release(place);
    if (sharedPlace) this.limits.releaseShared(sharedPlace);
  }

  reject({ upgrade, client, credentials }: Applicant, reason: RefusalReason, principal?: Principal): Rejection {
    const { request, arrivedAt } = upgrade;
    const ban = BANNING.has(reason) ? this.limits.banOf(client, principal) : undefined;
    this.events.emit('refused', reason, client.address, { request, arrivedAt, principal, ban });
    const { http, close, isForProxies }: Refusal = REFUSALS[reason];
    const isHttpPreferred =
      this.settings.authentication.refusal === 'http' ||
      (isForProxies === true && this.isProxy(request.socket.remoteAddress ?? ''));
    if (close === undefined || (http !== undefined && isHttpPreferred)) return { outcome: 'reject', answer: http };

    const offered = credentials.ok ? credentials.offeredSubprotocols : [];
    const answer = {
      close,
      reason: ban && reason === 'banned' ? reasonOfBan(ban) : reasonWithBan(close, ban),
      // If the server supports none of the offered subprotocols, the first one is echoed all the same: a browser that
      // gets none fails the handshake and never reads the close code.
      subprotocol: chooseSubprotocol(offered) ?? offered[0],
    };
    return { outcome: 'reject', answer };
  }

  private async judge({ upgrade, client, credentials, path, endpoint, waiting, place }: Placed): Promise<Judged> {
    const sessionId = newSessionId();
    const { headers } = upgrade.request;
    const eligible = await this.outcomeOf(this.eligibility.of({ headers, credentials, sessionId, endpoint }), waiting);
    if (typeof eligible === 'string') return { reason: eligible };

    const attempt = { principal: eligible.principal, sessionId, address: client.address, path };
    const principal = this.decisions ? await this.decidedBy(this.decisions, attempt, waiting) : eligible.principal;
    if (typeof principal === 'string') return { reason: principal, principal: eligible.principal };
    const limitKey = place.isExempt ? undefined : client.limitKey;
    const sharedPlace = this.limits.areShared ? { sessionId, limitKey, principal } : undefined;
    const refusal =
      sharedPlace && (this.objectionTo(principal) ?? (await this.takeShared(sharedPlace, place, waiting)));
    if (refusal !== undefined) return { reason: refusal, principal };
    const { subprotocol } = eligible;
    const codec = CODECS[subprotocol ?? DEFAULT_SUBPROTOCOL];
    const head = waiting.release();
    const outcome = 'accept';
    return {
      outcome,
      upgrade,
      client,
      credentials,
      path,
      sessionId,
      principal,
      subprotocol,
      codec,
      place,
      sharedPlace,
      head,
    };
  }

  /** Asks the back end about a client that nothing else refuses. */
  private async decidedBy(
    decisions: ConnectDecisions,
    attempt: ConnectRequest,
    waiting: WaitingClient,
  ): Promise<Principal | RefusalReason> {
    const objection = this.objectionTo(attempt.principal);
    return objection ?? this.outcomeOf(decisions.decide(attempt), waiting);
  }

  /** The result of a check, or why nobody waits for it any more. */
  private async outcomeOf<T>(
    checking: T | Promise<T | RefusalReason>,
    waiting: WaitingClient,
  ): Promise<T | RefusalReason> {
    if (!(checking instanceof Promise)) return checking;
    const first = Promise.race([checking, waiting.gone]);
    const outcome = await withTimeout(first, this.settings.upgrade.timeoutMs, 'undecided');
    if (outcome === 'aborted' || outcome === 'undecided') this.limits.abandon(checking);
    return outcome;
  }

  private async takeShared(
    owner: PlaceOwner,
    place: AddressRecord,
    waiting: WaitingClient,
  ): Promise<RefusalReason | undefined> {
    const taking = this.limits.takeShared(owner, place);
    const refusal = await Promise.race([taking, waiting.gone]);
    if (refusal !== 'aborted') return refusal;
    const givenBack = taking.then((late) => late ?? this.limits.releaseShared(owner));
    this.limits.abandon(givenBack);
    return refusal;
  }

  /** What may have changed while the token was being checked, or other nodes were asked. */
  private objectionTo(principal: Principal): RefusalReason | undefined {
    const fault = this.readiness.fault;
    if (fault !== undefined) return fault;
    const judged = this.revocations.judge(principal);
    return judged === undefined ? 'token_revoked' : this.limits.refusalOfUser(judged);
  }
}
