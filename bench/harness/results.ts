import type { BenchCase, Target } from '../cases/bench-case.js';
import type { Reading } from '../load/job.js';
import { median, rounded } from './statistics.js';

/** All readings of one case: peer → measure → one reading a round; a round without one holds null. */
export class CaseResults {
  readonly versions = new Map<string, string>();
  readonly remarks = new Set<string>();
  private readonly rounds = new Map<string, Map<string, (Reading | null)[]>>();

  constructor(
    readonly benchCase: BenchCase,
    readonly runs: number,
    readonly quick: boolean,
  ) {}

  add(peer: string, round: number, readings: readonly Reading[]): void {
    const measures = this.rounds.get(peer) ?? new Map<string, (Reading | null)[]>();
    this.rounds.set(peer, measures);
    for (const reading of readings) {
      const series = measures.get(reading.measure) ?? [];
      measures.set(reading.measure, series);
      while (series.length < round) series.push(null);
      series[round] = reading;
    }
  }

  measures(): string[] {
    return [...new Set([...this.rounds.values()].flatMap((measures) => [...measures.keys()]))];
  }

  peers(measure: string): string[] {
    return [...this.rounds].filter(([, measures]) => measures.has(measure)).map(([peer]) => peer);
  }

  readings(peer: string, measure: string): Reading[] {
    return this.series(peer, measure).filter((reading) => reading !== null);
  }

  values(peer: string, measure: string): number[] {
    return this.readings(peer, measure).map((reading) => reading.value);
  }

  /** Median over rounds of cost against cost: a round's two runs stand side by side, whatever the machine's mood. */
  costRatio(peer: string, measure: string, other: string, otherMeasure = measure): number {
    const others = this.series(other, otherMeasure);
    const ratios = this.series(peer, measure).flatMap((reading, round) => {
      const compared = others[round];
      return reading && compared ? [reading.value / compared.value] : [];
    });
    return median(ratios);
  }

  private series(peer: string, measure: string): (Reading | null)[] {
    return this.rounds.get(peer)?.get(measure) ?? [];
  }
}

export interface Verdict {
  readonly claim: string;
  readonly found: string;
  readonly met: boolean;
}

/** Null where the run did not include what the target speaks of. */
export function judge(results: CaseResults, target: Target): Verdict | null {
  const subject = results.benchCase.peers[0] ?? '';
  if (target.kind === 'bound') {
    const found = median(results.values(subject, target.measure));
    if (!Number.isFinite(found)) return null;
    return { claim: `${target.measure} ≤ ${target.atMost}`, found: rounded(found), met: found <= target.atMost };
  }
  const { measure, against, againstMeasure = measure, bound, reach } = target;
  const cost = results.costRatio(subject, measure, against ?? subject, againstMeasure);
  if (!Number.isFinite(cost)) return null;
  const found = bound === 'atLeast' ? 1 / cost : cost;
  const met = bound === 'atLeast' ? found >= reach : found <= reach;
  const other = against ?? `"${againstMeasure}"`;
  const claim = bound === 'atLeast' ? `throughput ≥ ${reach} × ${other}` : `cost ≤ ${reach} × ${other}`;
  return { claim: `${measure}: ${claim}`, found: `${found.toFixed(2)} ×`, met };
}
