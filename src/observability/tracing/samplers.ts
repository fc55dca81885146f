import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  type Sampler,
} from '@opentelemetry/sdk-trace';
import type { Settings } from '../../../config/settings.js';
import { ClientParents } from './client-parents.js';

type SamplerSettings = Pick<Settings['tracing'], 'sampler' | 'samplerArg'>;

/** The sampler of OTEL_TRACES_SAMPLER, apart from what clients ask for. */
export function samplerOf({ sampler, samplerArg }: SamplerSettings): Sampler {
  const root = rootOf(sampler.replace('parentbased_', ''), samplerArg);
  // Within the process a span always follows its parent, which may have been sampled as a client's.
  const ofOthers = sampler.startsWith('parentbased_')
    ? {}
    : { remoteParentSampled: root, remoteParentNotSampled: root };
  return new ClientParents({ root, others: new ParentBasedSampler({ root, ...ofOthers }) });
}

function rootOf(name: string, share: number): Sampler {
  if (name === 'traceidratio') return new TraceIdRatioBasedSampler(share);
  return name === 'always_off' ? new AlwaysOffSampler() : new AlwaysOnSampler();
}
