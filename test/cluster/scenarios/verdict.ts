import { expect } from 'vitest';
import type { Load, Outcome } from './load.js';

/** Lets the load end, prints what it reached, and demands that everyone has seen everything, or been told what not. */
export async function settled(load: Load): Promise<Outcome> {
  const outcome = await load.finish();
  process.stdout.write(outcome.line);
  expect(outcome.faults.map(({ kind, text }) => `${kind}: ${text}`)).toEqual([]);
  return outcome;
}
