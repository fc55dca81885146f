import type { Position } from '@gatehouse/protocol';
import { backoff } from './delays.js';
import type { Environment } from './environment.js';
import { GatehouseError } from './errors.js';
import { Timers } from './timers.js';

/** Why the state is loaded: for the first time, because publications are lost, or because they may be. */
export type LoadReason = 'first' | 'gap' | 'reconnect';

export interface Load {
  readonly reason: LoadReason;
  /** Aborts when nobody waits for it any more. */
  readonly signal: AbortSignal;
}

export interface LoaderSetup {
  readonly load: (load: Load) => Promise<Position | undefined | void>;
  readonly loadTimeoutMs: number | undefined;
  readonly environment: Environment;
}

export interface LoaderEvents {
  readonly isLive: () => boolean;
  /** Says why it must be loaded again, or nothing if that was the last time for now. */
  readonly onLoaded: (
    position: Position | undefined,
    about: { readonly isEarly: boolean; readonly isOutdated: boolean },
  ) => LoadReason | undefined;
  readonly onChange: () => void;
  readonly onError: (error: GatehouseError) => void;
}

const LIMIT_MS = 30_000;
/** Loads that follow each other faster belong to one series, whose delays grow. */
const CALM_MS = 10_000;

/** Runs `load` once at a time, in time, and again if it fails or what it brought is outdated. */
export class Loader {
  /** From the first reason to load until `end`, also while it waits for its turn. */
  isLoading = false;
  private isRunning = false;
  /** The channel was not subscribed when it began: what was published before it was is in neither. */
  private isEarly = false;
  private isOutdated = false;
  private series = 0;
  private abort: AbortController | undefined;
  private readonly timers: Timers;

  constructor(
    private readonly setup: LoaderSetup,
    private readonly events: LoaderEvents,
  ) {
    this.timers = new Timers(setup.environment.clock);
  }

  /** What is loaded now, or will be next, must be newer than this moment. */
  again(reason: LoadReason): void {
    if (this.isRunning) this.isOutdated = true;
    else if (!this.timers.has('delay')) this.begin(reason);
  }

  begin(reason: LoadReason): void {
    this.isLoading = true;
    this.timers.clear('calm');
    // All clients of a channel meet the same gap at the same time.
    const delay = this.series === 0 && reason === 'first' ? 0 : backoff(this.series, this.setup.environment.random);
    this.series += 1;
    this.events.onChange();
    if (delay === 0) void this.run(reason);
    else this.timers.set('delay', delay, () => void this.run(reason));
  }

  /** The channel is subscribed: a load that waited for that may begin. */
  onLive(): void {
    if (this.isLoading && !this.isRunning && !this.timers.has('delay')) this.begin('first');
  }

  end(): void {
    this.isLoading = false;
    this.timers.set('calm', CALM_MS, () => (this.series = 0));
  }

  stop(): void {
    this.isLoading = false;
    this.timers.clearAll();
    this.abort?.abort();
    this.abort = undefined;
  }

  private async run(reason: LoadReason): Promise<void> {
    const abort = new AbortController();
    this.abort = abort;
    this.isRunning = true;
    this.isOutdated = false;
    this.isEarly = !this.events.isLive();
    const result = await this.limited(abort, reason);
    this.isRunning = false;
    this.timers.clear('limit');
    if (this.abort !== abort) return;
    if ('cause' in result) {
      this.events.onError(new GatehouseError('LOAD_FAILED', 'load failed and is called again', result));
      this.begin(reason);
    } else this.onLoaded(result.position);
    this.events.onChange();
  }

  private onLoaded(position: Position | undefined): void {
    const { isEarly, isOutdated } = this;
    const next = this.events.onLoaded(position, { isEarly, isOutdated });
    // Before the channel is subscribed, another load would be early, too.
    if (next !== undefined && this.events.isLive()) this.begin(next);
  }

  private limited(
    abort: AbortController,
    reason: LoadReason,
  ): Promise<{ position: Position | undefined } | { cause: unknown }> {
    const { load, loadTimeoutMs = LIMIT_MS } = this.setup;
    return new Promise((resolve) => {
      this.timers.set('limit', loadTimeoutMs, () =>
        abort.abort(new Error(`load took longer than ${loadTimeoutMs} ms`)),
      );
      abort.signal.addEventListener('abort', () => resolve({ cause: abort.signal.reason as unknown }));
      const call = async (): Promise<unknown> => load({ reason, signal: abort.signal });
      call().then(
        (position) => resolve({ position: isPosition(position) ? position : undefined }),
        (cause: unknown) => resolve({ cause }),
      );
    });
  }
}

function isPosition(value: unknown): value is Position {
  const { epoch, seq } = (value ?? {}) as Partial<Position>;
  return typeof epoch === 'string' && typeof seq === 'number';
}
