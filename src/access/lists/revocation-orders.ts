import { Inject, Injectable } from '@nestjs/common';
import { Settings } from '../../../config/settings.js';
import type { GivenOrder } from '../../cluster/ports/given-order.js';
import { NodeBus } from '../../cluster/ports/node-bus.js';
import type {
  Revocation,
  RightsChange,
  TokenRevocation,
  UserRevocation,
} from '../../cluster/ports/revocation-store.js';
import { SessionRegistry } from '../../sessions/session-registry.js';
import type { AccessSettings } from '../access-settings.js';
import { SessionTermination } from '../session-termination.js';
import { Revocations, type Outcome } from './revocations.js';
import { NO_EFFECT } from './session-review.js';

export interface OrderOptions extends GivenOrder {
  /** Milliseconds since 1970; absent: REVOCATION_TTL_MS from now. Not before the tokens in question have expired. */
  readonly until?: number | undefined;
  /** For operators; clients do not read it. */
  readonly reason?: string | undefined;
}

export interface UserOrder extends OrderOptions {
  /** Tokens issued before then, in milliseconds since 1970; absent: now. */
  readonly issuedBefore?: number | undefined;
}

export interface RightsOrder extends OrderOptions {
  readonly roles: readonly string[];
  /** As a token's `channels` claim; absent: each token's own. */
  readonly channels?: RightsChange['channels'] | undefined;
}

export interface Ordered<T extends Revocation> extends Outcome {
  /** What stands in the list from now on. */
  readonly revocation: T;
}

/** Where the session's token has no id, there is no revocation: the session is expelled. */
export interface SessionRevoked extends Outcome {
  readonly revocation?: TokenRevocation;
}

interface TokenOfSession {
  readonly tokenId?: string;
  readonly expiresAt?: number;
}

const KIND = 'token-of-session';
/** How much longer than its token a revocation is kept: nodes whose clocks are behind still take the token. */
const CLOCK_MARGIN_MS = 60_000;

/** What operators may order about tokens: each holds on every node within a moment. */
@Injectable()
export class RevocationOrders {
  private readonly ttlMs: number;

  constructor(
    @Inject(Settings) { authentication }: AccessSettings,
    private readonly bus: NodeBus,
    private readonly sessions: SessionRegistry,
    private readonly termination: SessionTermination,
    private readonly revocations: Revocations,
  ) {
    this.ttlMs = authentication.revocationTtlMs;
    bus.handle(KIND, (payload) => this.tokenHere(payload));
  }

  /** Closes the sessions that were opened or last refreshed with a token, and lets nobody in with it. */
  revokeToken(tokenId: string, options: OrderOptions = {}): Promise<Ordered<TokenRevocation>> {
    return this.give({ kind: 'token', key: tokenId, ...this.commonOf(options) });
  }

  /** The same with all tokens of a user that were issued before now, and those that do not say when. */
  revokeUser(userId: string, options: UserOrder = {}): Promise<Ordered<UserRevocation>> {
    const { issuedBefore = Date.now() } = options;
    return this.give({ kind: 'user', key: userId, ...this.commonOf(options), issuedBefore });
  }

  /**
   * Ends one session, and revokes its token with whatever else that has opened.
   *
   * @returns undefined where there is no such session
   */
  async revokeSession(sessionId: string, options: OrderOptions = {}): Promise<SessionRevoked | undefined> {
    const token = await this.tokenOf(sessionId);
    if (token === undefined) return undefined;
    if (token.tokenId === undefined) {
      const ended = await this.termination.session(sessionId, undefined, options);
      return { ...NO_EFFECT, ended, missing: [] };
    }
    const end = token.expiresAt === undefined ? undefined : token.expiresAt + CLOCK_MARGIN_MS;
    return this.revokeToken(token.tokenId, { ...options, until: options.until ?? end });
  }

  /** Puts other rights in the place of what tokens say that the user was given before now, those of open sessions included. */
  changeRights(userId: string, { roles, channels, ...options }: RightsOrder): Promise<Ordered<RightsChange>> {
    const former = this.revocations.get('rights', userId);
    // Later than the one before by this clock too, though another node's made that.
    const issuedBefore = Math.max(Date.now(), (former?.issuedBefore ?? 0) + 1);
    const rights = { roles, ...(channels !== undefined && { channels }) };
    return this.give({ kind: 'rights', key: userId, ...this.commonOf(options), issuedBefore, ...rights });
  }

  /** @throws RangeError where its time is over already */
  private async give<T extends Revocation>(order: T): Promise<Ordered<T>> {
    if (!Number.isSafeInteger(order.until) || order.until <= Date.now())
      throw new RangeError('expiresAt must be in the future');
    const outcome = await this.revocations.add(order);
    return {
      ...outcome,
      revocation: (this.revocations.get<T['kind']>(order.kind, order.key) as T | undefined) ?? order,
    };
  }

  private commonOf({ until = Date.now() + this.ttlMs, reason = '', givenAs }: OrderOptions) {
    return { until, reason, ...(givenAs && { givenAs }) };
  }

  private async tokenOf(sessionId: string): Promise<TokenOfSession | undefined> {
    const here = this.tokenHere(sessionId);
    if (here !== null) return here;
    const { received } = await this.bus.ask<TokenOfSession | null>(KIND, sessionId);
    return [...received.values()].find((token) => token !== null);
  }

  private tokenHere(sessionId: unknown): TokenOfSession | null {
    const principal = typeof sessionId === 'string' ? this.sessions.get(sessionId)?.principal : undefined;
    if (principal === undefined) return null;
    const { tokenId, expiresAt } = principal;
    return { ...(tokenId !== undefined && { tokenId }), ...(expiresAt !== undefined && { expiresAt }) };
  }
}
