import { Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { Machine } from '../lifecycle/machine.js';

/** The workers of this machine, as the primary reports them. Never down: a worker that is down does not answer. */
@Injectable()
export class WorkersIndicator {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly machine: Machine,
  ) {}

  /** Whether this process is one of several. */
  get areThere(): boolean {
    return this.machine.self !== undefined;
  }

  get isAnotherReady(): boolean {
    const { self, workers } = this.machine;
    return workers.some(({ number, state }) => number !== self?.number && state === 'ready');
  }

  check(): HealthIndicatorResult {
    const { self, workers } = this.machine;
    return this.indicators.check('workers').up({
      asked: self?.number,
      ready: workers.filter(({ state }) => state === 'ready').length,
      count: self?.count,
      // Why one has ended is in the log: it may say more than anyone who asks may know.
      workers: workers.map(({ number, state, failures }) => ({ number, state, failures })),
    });
  }
}
