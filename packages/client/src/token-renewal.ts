import { backoff } from './delays.js';
import type { Environment } from './environment.js';
import { GatehouseError, SignedOut } from './errors.js';
import type { Requests } from './requests.js';
import { Timers } from './timers.js';
import type { Tokens } from './tokens.js';

export interface RenewalHost {
  readonly environment: Environment;
  readonly tokens: Tokens;
  readonly requests: Requests;
  readonly serverNow: () => number;
  readonly onError: (error: GatehouseError) => void;
  readonly onSignedOut: () => void;
}

/** Browsers fire a timer at once whose time does not fit into 31 bits, and a clock may jump. */
const LOOK_AGAIN_MS = 3_600_000;

/** Gives the session a new token before the old one expires. */
export class TokenRenewal {
  private readonly timers: Timers;
  private failures = 0;
  private round = 0;

  constructor(private readonly host: RenewalHost) {
    this.timers = new Timers(host.environment.clock);
  }

  /** At a random 70 to 90 % of the life that is left: tokens that were issued together are not renewed together. */
  start(): void {
    this.stop();
    const { tokens, serverNow, environment } = this.host;
    const { expiresAt } = tokens;
    if (expiresAt === undefined || !tokens.canRenew) return;
    const now = serverNow();
    this.waitUntil(now + (expiresAt - now) * (0.7 + 0.2 * environment.random()));
  }

  stop(): void {
    this.round += 1;
    this.timers.clearAll();
  }

  private waitUntil(at: number): void {
    const ms = at - this.host.serverNow();
    if (ms <= 0) void this.renew();
    else this.timers.set('renew', Math.min(ms, LOOK_AGAIN_MS), () => this.waitUntil(at));
  }

  private async renew(): Promise<void> {
    const { tokens, requests } = this.host;
    const { round } = this;
    try {
      const token = await tokens.fetch('expiring');
      if (round !== this.round) return;
      if (token !== undefined) await requests.send('auth_refresh', { token }, { idempotent: true });
      if (round !== this.round) return;
      this.failures = 0;
      this.start();
    } catch (error) {
      if (round === this.round) this.onFailed(error);
    }
  }

  private onFailed(error: unknown): void {
    if (error instanceof SignedOut) return this.host.onSignedOut();
    if (error instanceof GatehouseError) {
      if (error.code === 'CONNECTION_LOST' || error.code === 'CLOSED') return;
      if (error.code === 'UNAUTHENTICATED') this.host.tokens.refuse();
      this.host.onError(error);
    }
    this.failures += 1;
    this.timers.set('renew', 1_000 + backoff(this.failures, this.host.environment.random), () => void this.renew());
  }
}
