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
  /** Milliseconds since 1970. Absent: REVOCATION_TTL_MS from now. Choose a time after the tokens have expired. */
  readonly until?: number | undefined;
  /** For operators; clients do not see it. */
  readonly reason?: string | undefined;
}

export interface UserOrder extends OrderOptions {
  /** Tokens issued before this time are revoked, in milliseconds since 1970. Absent: now. */
  readonly issuedBefore?: number | undefined;
}

export interface RightsOrder extends OrderOptions {
  readonly roles: readonly string[];
  /** Like a token's `channels` claim. Absent: the claim of each token applies. */
  readonly channels?: RightsChange['channels'] | undefined;
}

export interface Ordered<T extends Revocation> extends Outcome {
  /** The entry that is now in the list. */
  readonly revocation: T;
}

/** Absent if the session's token has no id. The session was then closed, and nothing was revoked. */
export interface SessionRevoked extends Outcome {
  readonly revocation?: TokenRevocation;
}

interface TokenOfSession {
  readonly tokenId?: string;
  readonly expiresAt?: number;
}

const KIND = 'token-of-session';
/** How much longer than its token a revocation is kept, because nodes with slow clocks still accept the token. */
const CLOCK_MARGIN_MS = 60_000;

/** Orders of operators about tokens. Each takes effect on every node within a moment. */
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

  /** Revokes a token: closes the sessions that were opened or last refreshed with it, and refuses it from now on. */
  revokeToken(tokenId: string, options: OrderOptions = {}): Promise<Ordered<TokenRevocation>> {
    return this.give({ kind: 'token', key: tokenId, ...this.commonOf(options) });
  }

  /** Revokes all tokens of a user that were issued before now, and those without a time of issue. */
  revokeUser(userId: string, options: UserOrder = {}): Promise<Ordered<UserRevocation>> {
    const { issuedBefore = Date.now() } = options;
    return this.give({ kind: 'user', key: userId, ...this.commonOf(options), issuedBefore });
  }

  /**
   * Ends one session, and revokes its token with every other session that it opened.
   *
   * @returns undefined if there is no such session
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

  /** Replaces the rights in tokens of a user that were issued before now, also in open sessions. */
  changeRights(userId: string, { roles, channels, ...options }: RightsOrder): Promise<Ordered<RightsChange>> {
    const former = this.revocations.get('rights', userId);
    // Later than the previous one also by this clock, although another node made that.
    const issuedBefore = Math.max(Date.now(), (former?.issuedBefore ?? 0) + 1);
    const rights = { roles, ...(channels !== undefined && { channels }) };
    return this.give({ kind: 'rights', key: userId, ...this.commonOf(options), issuedBefore, ...rights });
  }

  /** @throws RangeError if its time is in the past */
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
