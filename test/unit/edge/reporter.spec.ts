import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EdgeReport } from '../../../src/edge/edge-report.js';
import { Reporter } from '../../../src/edge/link/reporter.js';
import type { Upstream } from '../../../src/edge/link/upstream.js';

const REPORT = { release: '0.1.0' } as EdgeReport;

/** A centre that counts reports, and answers with an error if it is told to. */
class Centre {
  isUp = true;
  reports = 0;
  error: string | undefined;
  private waiting: (() => void)[] = [];

  whenUp(): Promise<void> {
    return this.isUp ? Promise.resolve() : new Promise((resolve) => this.waiting.push(resolve));
  }

  async request(type: string, report: unknown): Promise<void> {
    expect([type, report]).toEqual(['edge.report', REPORT]);
    this.reports += 1;
    if (this.error !== undefined) throw Object.assign(new Error(this.error), { code: this.error });
  }

  comeBack(): void {
    this.isUp = true;
    for (const wake of this.waiting.splice(0)) wake();
  }
}

describe('what an edge tells its centre', () => {
  let centre: Centre;
  let reporter: Reporter;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    centre = new Centre();
    reporter = new Reporter(centre as unknown as Upstream, { read: async () => REPORT });
  });

  afterEach(async () => {
    await reporter.onApplicationShutdown();
    vi.useRealTimers();
  });

  it('goes up at once and then every five seconds, also if a report is lost', async () => {
    reporter.onApplicationBootstrap();
    await vi.advanceTimersByTimeAsync(4_999);
    expect(centre.reports).toBe(1);
    centre.error = 'NO_ANSWER';
    await vi.advanceTimersByTimeAsync(10_001);
    expect(centre.reports).toBe(4);
  });

  it('waits for the link', async () => {
    centre.isUp = false;
    reporter.onApplicationBootstrap();
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(centre.reports).toBe(0);
    centre.comeBack();
    await vi.advanceTimersByTimeAsync(0);
    expect(centre.reports).toBe(1);
  });

  it('seldom bothers a centre that does not know reports', async () => {
    centre.error = 'UNKNOWN_MESSAGE_TYPE';
    reporter.onApplicationBootstrap();
    await vi.advanceTimersByTimeAsync(299_999);
    expect(centre.reports).toBe(1);
    centre.error = undefined;
    await vi.advanceTimersByTimeAsync(5_001);
    expect(centre.reports).toBe(3);
  });
});
