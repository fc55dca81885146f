import { Injectable } from '@nestjs/common';
import { HandlerDeadlines, type RunningCall } from '../../dispatch/calls/handler-deadlines.js';
import type { HandlersAnswer } from './diagnostics.answers.js';
import { MessageTallies } from '../metrics/message-tallies.js';
import { rounded } from './rounded.js';
import { SlowCalls } from './slow-calls.js';

/** How long handlers take. */
@Injectable()
export class HandlerReport {
  constructor(
    private readonly tallies: MessageTallies,
    private readonly slow: SlowCalls,
    private readonly deadlines: HandlerDeadlines,
  ) {}

  read(limit: number): HandlersAnswer {
    const { running } = this.deadlines;
    return {
      handlers: this.types().slice(0, limit),
      slowest: this.slow.list(limit).map((call) => ({ ...call, ms: rounded(call.ms) })),
      running: this.underWay(running ?? new Set(), limit),
      runningTotal: running?.size,
    };
  }

  private types(): HandlersAnswer['handlers'] {
    // Measured in seconds, as for Prometheus.
    const types = Array.from(this.tallies.processingTime.entries(), ([type, times]) => ({
      type,
      count: times.count,
      meanMs: rounded(times.mean * 1_000),
      p50Ms: rounded(times.quantile(0.5) * 1_000),
      p99Ms: rounded(times.quantile(0.99) * 1_000),
      maxMs: rounded(times.max * 1_000),
    }));
    return types.filter(({ count }) => count > 0).sort((left, right) => right.p99Ms - left.p99Ms);
  }

  private underWay(calls: ReadonlySet<RunningCall>, limit: number): HandlersAnswer['running'] {
    const now = performance.now();
    return [...firstOf(calls, limit)].map(({ name, context, beganAt }) => ({
      type: context.type,
      handler: name,
      ms: rounded(now - beganAt),
      sessionId: context.session.id,
    }));
  }
}

/** There may be many, so they are not copied. */
function* firstOf<T>(values: Iterable<T>, limit: number): Iterable<T> {
  let left = limit;
  for (const value of values) {
    if (left === 0) return;
    left -= 1;
    yield value;
  }
}
