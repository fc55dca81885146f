import { ROOT_CONTEXT } from '@opentelemetry/api';
import { RandomIdGenerator, type Sampler, type SamplingResult } from '@opentelemetry/sdk-trace';
import { isNamedByClient } from './parents.js';

interface Samplers {
  /** For spans with no parent. */
  readonly root: Sampler;
  /** For all whose parent is one of ours, or of those we trust. */
  readonly others: Sampler;
}

/**
 * Decides on spans whose parent was named by a client as if they had none: neither the client's flag counts, nor the id
 * that it has chosen, for an id that was recorded once would be recorded again each time.
 */
export class ClientParents implements Sampler {
  private readonly ids = new RandomIdGenerator();

  constructor(private readonly samplers: Samplers) {}

  shouldSample(...span: Parameters<Sampler['shouldSample']>): SamplingResult {
    const { root, others } = this.samplers;
    const [parent, , ...rest] = span;
    if (!isNamedByClient(parent)) return others.shouldSample(...span);
    return root.shouldSample(ROOT_CONTEXT, this.ids.generateTraceId(), ...rest);
  }

  toString(): string {
    return `ClientParents{${this.samplers.others.toString()}}`;
  }
}
