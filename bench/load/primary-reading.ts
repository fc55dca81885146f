import type { ProcessorUse } from '../harness/processor-time.js';
import type { Reading } from './job.js';

/** What the primary of several workers took of the whole; nothing for a server that is one process. */
export function primaryReading(measure: string, { each }: ProcessorUse, units: number): readonly Reading[] {
  const [primary = 0, ...workers] = each;
  return workers.length === 0 ? [] : [{ measure, value: primary / units }];
}
