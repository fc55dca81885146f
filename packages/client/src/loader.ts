import type { Position } from '@gatehouse/protocol';
import { backoff } from './delays.js';
import type { Environment } from './environment.js';
import { failure, type GatehouseError } from './errors.js';
import { limited } from './limited.js';
import { positionIn } from './positions.js';
import { Timers } from './timers.js';

/** Why the state is loaded: for the first time, because publications are lost, or because they may be. */
export type LoadReason = 'first' | 'gap' | 'reconnect';

export interface Load {
  readonly reason: LoadReason;
  /** Aborts when nobody waits for it any more. */
  readonly signal: AbortSignal;
}

export type LoadFunction = (load: Load) => Promise<Position | undefined | void>;

export interface LoaderHost {
  readonly environment: Environment;
  readonly options: { readonly loadTimeoutMs?: number | undefined };
  /** Whether the channel is subscribed now. */
  isLive(): boolean;
  onChange(): void;
  onError(error: GatehouseError): void;
}

const LIMIT_MS = 30_000;
/** Loads that follow each other faster belong to one series, whose delays grow. */
const CALM_MS = 10_000;

/** Runs `load` once at a time, in time, and again if it fails or what it brought is outdated. */
export class Loader {
  /** From the first reason to load until `end`, also while it waits for its turn. */
  loading = false;
  /** The channel was not subscribed when it began: what was published before it was is in neither. */
  isEarly = false;
  /** Publications were lost after it began. */
  isOld = false;
  private _isRunning = false;
  private _series = 0;
  private _abort: AbortController | undefined;
  private readonly _timers: Timers;

  /** @param _onLoaded says why it must be loaded again, or nothing if that was the last time for now */
  constructor(
    private readonly _load: LoadFunction,
    private readonly _host: LoaderHost,
    private readonly _onLoaded: (position: Position | undefined) => LoadReason | undefined,
  ) {
    this._timers = new Timers(_host.environment.clock);
  }

  /** What is loaded now, or will be next, must be newer than this moment. */
  again(reason: LoadReason): void {
    if (this._isRunning) this.isOld = true;
    else if (!this._timers.has('delay')) this.begin(reason);
  }

  begin(reason: LoadReason): void {
    this.loading = true;
    this._timers.clear('calm');
    // All clients of a channel meet the same gap at the same time.
    const isAtOnce = this._series === 0 && reason === 'first';
    const delayMs = backoff(this._series, this._host.environment.random);
    this._series += 1;
    this._host.onChange();
    if (isAtOnce) void this._run(reason);
    else this._timers.set('delay', delayMs, () => void this._run(reason));
  }

  /** The channel is subscribed: a load that waited for that may begin. */
  onLive(): void {
    if (this.loading && !this._isRunning && !this._timers.has('delay')) this.begin('first');
  }

  end(): void {
    this.loading = false;
    this._timers.set('calm', CALM_MS, () => (this._series = 0));
  }

  stop(): void {
    this.loading = false;
    this._timers.clear();
    this._abort?.abort();
    this._abort = undefined;
  }

  private async _run(reason: LoadReason): Promise<void> {
    const { _host: host } = this;
    const abort = new AbortController();
    this._abort = abort;
    this._isRunning = true;
    this.isOld = false;
    this.isEarly = !host.isLive();
    const limits = { clock: host.environment.clock, ms: host.options.loadTimeoutMs ?? LIMIT_MS };
    const end = await limited((signal) => this._load({ reason, signal }), abort, limits).then(
      (position: unknown) => () => this._onEnd(position),
      (cause: unknown) => () => {
        host.onError(failure('LOAD_FAILED', cause));
        this.begin(reason);
      },
    );
    this._isRunning = false;
    if (this._abort !== abort) return;
    end();
    host.onChange();
  }

  private _onEnd(position: unknown): void {
    const next = this._onLoaded(positionIn(position));
    // Before the channel is subscribed, another load would be early, too.
    if (next && this._host.isLive()) this.begin(next);
  }
}
