import { describe, expect, it } from 'vitest';
import { AuditBudget } from '../../../../src/observability/audit/audit-budget.js';

/** How many of so many lines are written. */
function written(budget: AuditBudget, source: string, lines: number): number {
  return Array.from({ length: lines }, () => budget.take('refusal', source)).filter(Boolean).length;
}

describe('the audit budget', () => {
  it('gives each source its lines, however many another causes, and counts what is left out', () => {
    const budget = new AuditBudget({ perSource: 50, perGroup: 5_000 });
    expect(written(budget, 'an attacker', 1_000)).toBe(50);
    expect(written(budget, 'somebody else', 1)).toBe(1);
    expect(budget.turn()).toEqual([{ group: 'refusal', source: 'an attacker', sources: 1, leftOut: 950 }]);
    expect(budget.turn()).toEqual([]);
    expect(written(budget, 'an attacker', 60)).toBe(50);
  });

  it('bounds a group over all sources, so that refusals cannot drown who was let in', () => {
    const budget = new AuditBudget({ perSource: 10, perGroup: 100 });
    const lines = Array.from({ length: 200 }, (_, index) => written(budget, `source ${index}`, 1));
    expect(lines.reduce((sum, count) => sum + count, 0)).toBe(100);
    expect(budget.take('session', 'source 150')).toBe(true);
    const leftOut = budget.turn();
    expect(leftOut).toHaveLength(21);
    expect(leftOut.at(-1)).toEqual({ group: 'refusal', source: undefined, sources: 80, leftOut: 80 });
  });

  it('remembers 4,096 sources a period; those beyond share what one may', () => {
    const budget = new AuditBudget({ perSource: 1, perGroup: 0 });
    const lines = Array.from({ length: 100_000 }, (_, index) => written(budget, `source ${index}`, 1));
    expect(lines.reduce((sum, count) => sum + count, 0)).toBe(4_097);
    expect(budget.turn()).toEqual([{ group: 'refusal', source: undefined, sources: 95_904, leftOut: 95_903 }]);
  });

  it('has no limit where that is zero', () => {
    const budget = new AuditBudget({ perSource: 0, perGroup: 0 });
    expect(written(budget, 'anybody', 10_000)).toBe(10_000);
    expect(budget.turn()).toEqual([]);
  });
});
