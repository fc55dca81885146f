/** What the tests use of it. The package has no declarations. */
declare module '@bcoe/v8-coverage' {
  import type { Profiler } from 'node:inspector';

  interface ProcessCoverage {
    readonly result: Profiler.ScriptCoverage[];
  }
  /** Adds up what several processes counted, script by script. */
  export function mergeProcessCovs(coverages: readonly ProcessCoverage[]): ProcessCoverage;
}
