import { ROOT_CONTEXT } from '@opentelemetry/api';
import { RandomIdGenerator, type Sampler, type SamplingResult } from '@opentelemetry/sdk-trace';
import { isNamedByClient } from './parents.js';

interface Samplers {
  /** For spans without a parent. */
  readonly root: Sampler;
  /** For spans whose parent is ours or trusted. */
  readonly others: Sampler;
}

/**
 * Decides about spans with a parent that a client named as if they had none. Neither the client's flag nor its id
 * counts, because an id that was recorded once would be recorded again each time.
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
