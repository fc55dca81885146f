import { Inject, Injectable } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { Settings } from '../../../config/settings.js';
import { AddressBook } from '../../access/limits/address-book.js';
import { Revocations } from '../../access/lists/revocations.js';
import type { Principal } from '../../authentication/principal.js';
import { TokenVerifier, type Verdict } from '../../authentication/token-verifier.js';
import { GatehouseError } from '../../protocol/gatehouse-error.js';
import { originReader } from '../../upgrade/ladder/client-address.js';
import { ApiEvents } from '../../observability/api-events.js';
import { demandApiRole } from './api.guard.js';
import { rememberCaller, type ApiRequest } from './caller.js';
import { readJsonBody } from './json-body.js';
import { isExpected, problemOf, ProblemError, sendProblem } from './problem.js';

/** Invalid tokens a second from one address (IPv6: from one /64). Beyond it, every request of that address waits. */
const FAILURES_A_SECOND = 10;
const BEARER = /^bearer[ \t]+(\S+)$/i;
/** nginx's status for a response that did not reach the client. */
const CLIENT_HAS_GONE = 499;
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE']);

/**
 * The middleware in front of /api. It reads no body before the token is verified, so a stranger costs only a look at a
 * header.
 */
@Injectable()
export class ApiEntrance {
  private readonly clientAddressOf: ReturnType<typeof originReader>;
  private readonly failures = new AddressBook({ connectionRate: FAILURES_A_SECOND, messageRate: 0 });

  constructor(
    @Inject(Settings) private readonly settings: Pick<Settings, 'api' | 'server'>,
    private readonly tokens: TokenVerifier,
    private readonly revocations: Revocations,
    private readonly events: ApiEvents,
  ) {
    this.clientAddressOf = originReader(settings.server);
  }

  /** An Express middleware. */
  async enter(request: ApiRequest, response: ServerResponse, next: () => void): Promise<void> {
    response.setHeader('Cache-Control', 'no-store');
    response.once('close', () => {
      const status = response.writableFinished ? response.statusCode : CLIENT_HAS_GONE;
      this.events.emit('answered', routeOf(request), status);
    });
    try {
      await this.admit(request);
    } catch (error) {
      if (!isExpected(error)) this.events.emit('crashed', 'entrance', error);
      return sendProblem(response, problemOf(error));
    }
    next();
  }

  private async admit(request: ApiRequest): Promise<void> {
    const caller = await this.authenticate(request);
    try {
      demandApiRole(caller, request);
    } catch (error) {
      this.events.emit('refused', 403, this.clientAddressOf(request).address);
      throw error;
    }
    rememberCaller(request, caller);
    demandReadablePath(request.url ?? '');
    request.body = await readJsonBody(request, this.settings.api.maxBodyBytes);
  }

  /** @throws GatehouseError UNAUTHENTICATED, RATE_LIMIT_EXCEEDED or SERVER_BUSY */
  private async authenticate(request: ApiRequest): Promise<Principal> {
    const { address, limitKey } = this.clientAddressOf(request);
    const bucket = this.failures.of(limitKey).connectionBucket;
    const retryAfter = bucket?.waitFor(performance.now()) ?? 0;
    if (retryAfter > 0) {
      this.events.emit('refused', 429, address);
      throw new GatehouseError('RATE_LIMIT_EXCEEDED', { message: 'Too many invalid tokens', retryAfter });
    }
    const token = BEARER.exec(request.headers.authorization ?? '')?.[1];
    const verdict = token === undefined ? undefined : await this.tokens.verify(token);
    const caller = verdict?.ok ? this.revocations.judge(verdict.principal) : undefined;
    if (caller !== undefined) return caller;
    if (verdict?.ok === false && verdict.reason === 'unavailable') {
      throw new GatehouseError('SERVER_BUSY', {
        message: 'Tokens cannot be verified at the moment',
        retryAfter: 1_000,
      });
    }
    bucket?.take(performance.now());
    this.events.emit('refused', 401, address);
    throw new GatehouseError('UNAUTHENTICATED', verdict && { message: sentenceOf(verdict) });
  }
}

function sentenceOf(verdict: Verdict): string {
  if (verdict.ok) return 'Token revoked';
  return verdict.reason === 'expired' ? 'Token expired' : 'Invalid token';
}

/** Express would quote the URL that it cannot decode. */
function demandReadablePath(url: string): void {
  try {
    decodeURIComponent(url.split('?', 1)[0] ?? '');
  } catch {
    throw new ProblemError(400, 'Malformed URL');
  }
}

/** The route as the OpenAPI document writes it; `none` for requests that reached no endpoint. */
function routeOf({ method = '', route }: ApiRequest): string {
  if (route === undefined || !METHODS.has(method) || isCatchAll(route.path)) return 'none';
  return `${method} ${route.path.replace(/:(\w+)/g, '{$1}')}`;
}

function isCatchAll(path: string): boolean {
  return path.endsWith('/api') || path.endsWith('*path');
}
