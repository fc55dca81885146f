import { backoff } from './delays.js';
import type { Environment } from './environment.js';
import { GatehouseError, SignedOut } from './errors.js';
import type { Link } from './link.js';
import type { Requests } from './requests.js';
import { Timers } from './timers.js';
import type { Tokens } from './tokens.js';

export interface RenewalHost extends Environment {
  readonly tokens: Tokens;
  readonly requests: Requests;
  readonly link: Link;
  onError(error: GatehouseError): void;
}

/** Browsers fire a timer at once whose time does not fit into 31 bits, and a clock may jump. */
const LOOK_AGAIN_MS = 3_600_000;

/** Gives the session a new token before the old one expires. */
export class TokenRenewal {
  private readonly _timers: Timers;
  private _failures = 0;
  private _round = 0;

  constructor(private readonly _host: RenewalHost) {
    this._timers = new Timers(_host.clock);
  }

  /** At a random 70 to 90 % of the life that is left: tokens that were issued together are not renewed together. */
  start(): void {
    this.stop();
    const { tokens, link, random } = this._host;
    const { expiresAt } = tokens;
    if (!expiresAt || !tokens.canRenew) return;
    const now = link.now();
    this._waitUntil(now + (expiresAt - now) * (0.7 + 0.2 * random()));
  }

  stop(): void {
    this._round += 1;
    this._timers.clear();
  }

  private _waitUntil(at: number): void {
    const ms = at - this._host.link.now();
    if (ms <= 0) void this._renew();
    else this._timers.set('renew', Math.min(ms, LOOK_AGAIN_MS), () => this._waitUntil(at));
  }

  private async _renew(): Promise<void> {
    const { tokens, requests } = this._host;
    const { _round: round } = this;
    try {
      const token = await tokens.fetch('expiring');
      if (token && round === this._round) await requests.send('auth_refresh', { token }, { idempotent: true });
      if (round !== this._round) return;
      this._failures = 0;
      this.start();
    } catch (error) {
      if (round === this._round) this._onFailed(error);
    }
  }

  private _onFailed(error: unknown): void {
    const { tokens, link, random } = this._host;
    if (error instanceof SignedOut) return link.close();
    this._failures += 1;
    this._timers.set('renew', 1_000 + backoff(this._failures, random), () => void this._renew());
    if (!(error instanceof GatehouseError)) return;
    if (error.code === 'UNAUTHENTICATED') tokens.refuse();
    // Last, as its handler may close the client.
    this._host.onError(error);
  }
}
