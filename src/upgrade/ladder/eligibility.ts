import { Inject, Injectable } from '@nestjs/common';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Settings } from '../../../config/settings.js';
import type { Credentials } from '../../authentication/credentials.js';
import { anonymousPrincipal, guestPrincipal, type Principal } from '../../authentication/principal.js';
import { TokenVerifier, type Verdict, type VerdictReason } from '../../authentication/token-verifier.js';
import type { Subprotocol } from '@gatehouse/protocol';
import { chooseSubprotocol } from '../../protocol/codecs/subprotocols.js';
import type { SessionId } from '../../sessions/session.js';
import type { EndpointTraits } from '../decision.js';
import { acceptableOffer } from './extension-offers.js';
import { handshakeFault } from './handshake.js';
import { originPolicy, type OriginPolicy } from './origin-policy.js';
import type { RefusalReason } from './refusals.js';
import { secureRequestReader } from './secure-request.js';

export type UpgradeSettings = Pick<Settings, 'server' | 'tls' | 'authentication' | 'upgrade'>;

export interface Candidate {
  readonly headers: IncomingHttpHeaders;
  readonly credentials: Credentials;
  readonly sessionId: SessionId;
  readonly endpoint: EndpointTraits;
}

export interface Eligible {
  readonly principal: Principal;
  readonly subprotocol: Subprotocol | undefined;
}

const REASON_OF_VERDICT = {
  expired: 'token_expired',
  invalid: 'invalid_token',
  unavailable: 'keys_unavailable',
} as const satisfies Record<VerdictReason, RefusalReason>;

/** Checks a request by its content, apart from limits and the state of the server. */
@Injectable()
export class Eligibility {
  private readonly isAllowedOrigin: OriginPolicy;
  private readonly isSecureEnough: (request: IncomingMessage) => boolean;

  constructor(
    @Inject(Settings) private readonly settings: UpgradeSettings,
    private readonly tokens: TokenVerifier,
  ) {
    this.isAllowedOrigin = originPolicy(settings);
    this.isSecureEnough = settings.tls.required === 'on' ? secureRequestReader(settings.server) : () => true;
  }

  /** Faults of the request itself, whoever sends it. */
  faultOf(request: IncomingMessage): RefusalReason | undefined {
    return this.isSecureEnough(request) ? handshakeFault(request) : 'tls_required';
  }

  /** origin → subprotocol → extensions → credentials. Returns a promise only if the key of a token may have to be fetched. */
  of({
    headers,
    credentials,
    sessionId,
    endpoint,
  }: Candidate): Eligible | RefusalReason | Promise<Eligible | RefusalReason> {
    if (!this.isAllowedOrigin(headers.origin, headers.host)) return 'origin';
    if (!credentials.ok) return 'bad_subprotocols';

    const { offeredSubprotocols, token } = credentials;
    const subprotocol = chooseSubprotocol(offeredSubprotocols);
    if (subprotocol === undefined && offeredSubprotocols.length > 0) return 'unsupported_subprotocol';
    const extensions = headers['sec-websocket-extensions'] ?? '';
    if (endpoint.compresses(subprotocol) && acceptableOffer(extensions) === undefined) return 'bad_extensions';

    const { mode } = this.settings.authentication;
    if (mode === 'off') return { subprotocol, principal: guestPrincipal(`guest:${sessionId}`) };
    if (token === undefined && mode === 'required') return 'unauthenticated';
    if (token === undefined) return { subprotocol, principal: anonymousPrincipal(`anonymous:${sessionId}`) };
    const verdict = this.tokens.verify(token);
    return verdict instanceof Promise ? whenKnown(verdict, subprotocol) : outcomeOf(verdict, subprotocol);
  }
}

/** Keeps no reference to the request, because it may go on after its client has left. */
async function whenKnown(
  verdict: Promise<Verdict>,
  subprotocol: Subprotocol | undefined,
): Promise<Eligible | RefusalReason> {
  return outcomeOf(await verdict, subprotocol);
}

function outcomeOf(verdict: Verdict, subprotocol: Subprotocol | undefined): Eligible | RefusalReason {
  return verdict.ok ? { subprotocol, principal: verdict.principal } : REASON_OF_VERDICT[verdict.reason];
}
