import { describe, expect, it } from 'vitest';
import { SpanBudget } from '../../../../src/observability/tracing/span-budget.js';

describe('what is refused', () => {
  it('is recorded fifty times a second, however much it is', () => {
    const budget = new SpanBudget();
    const admitted = (now: number): number =>
      Array.from({ length: 200 }, () => budget.take(now)).filter(Boolean).length;
    expect([admitted(0), admitted(999), admitted(1_000), admitted(60_000)]).toEqual([50, 0, 50, 50]);
  });
});
