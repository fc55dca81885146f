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

/** What OTEL_TRACES_SAMPLER asks for, held apart from what clients ask for. */
export function samplerOf({ sampler, samplerArg }: SamplerSettings): Sampler {
  const root = rootOf(sampler.replace('parentbased_', ''), samplerArg);
  // Within the process a span goes with its parent in any case: it may have been decided on as a client's.
  const ofOthers = sampler.startsWith('parentbased_')
    ? {}
    : { remoteParentSampled: root, remoteParentNotSampled: root };
  return new ClientParents({ root, others: new ParentBasedSampler({ root, ...ofOthers }) });
}

function rootOf(name: string, share: number): Sampler {
  if (name === 'traceidratio') return new TraceIdRatioBasedSampler(share);
  return name === 'always_off' ? new AlwaysOffSampler() : new AlwaysOnSampler();
}
