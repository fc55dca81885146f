import { ROOT_CONTEXT, SpanKind, type Context } from '@opentelemetry/api';
import { SamplingDecision } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import { ofClient, parentOf } from '../../../../src/observability/tracing/parents.js';
import { samplerOf } from '../../../../src/observability/tracing/samplers.js';

/** An id of which traceidratio records every trace, however small the share. */
const LUCKY = `${'0'.repeat(31)}1`;
const SPAN = '00f067aa0ba902b7';
const TRIES = 300;

type Name = Parameters<typeof samplerOf>[0]['sampler'];

function recorded(sampler: Name, share: number, parent: Context): number {
  const made = samplerOf({ sampler, samplerArg: share });
  const decisions = Array.from({ length: TRIES }, () => made.shouldSample(parent, LUCKY, 's', SpanKind.SERVER, {}, []));
  return decisions.filter(({ decision }) => decision === SamplingDecision.RECORD_AND_SAMPLED).length;
}

const sampled = parentOf(`00-${LUCKY}-${SPAN}-01`);
const unsampled = parentOf(`00-${LUCKY}-${SPAN}-00`);
const asClient = (parent: Context): Context => ofClient(parent, { trustsClients: false });

describe('what is recorded', () => {
  it.each<[Name, number, number]>([
    ['parentbased_always_on', TRIES, 0],
    ['parentbased_always_off', TRIES, 0],
    ['parentbased_traceidratio', TRIES, 0],
    ['always_on', TRIES, TRIES],
    ['always_off', 0, 0],
    ['traceidratio', TRIES, TRIES],
  ])('%s: of a trace that a back end records, and of one that it does not', (name, ofSampled, ofUnsampled) => {
    expect(recorded(name, 0.001, sampled)).toBe(ofSampled);
    expect(recorded(name, 0.001, unsampled)).toBe(ofUnsampled);
  });

  it.each<Name>(['parentbased_traceidratio', 'traceidratio'])(
    '%s: a client forces nothing, neither by its flag nor by an id of its choice',
    (name) => {
      for (const parent of [asClient(sampled), asClient(unsampled)]) {
        const count = recorded(name, 0.5, parent);
        // Within ten standard deviations of the half.
        expect(count).toBeGreaterThan(TRIES / 2 - 90);
        expect(count).toBeLessThan(TRIES / 2 + 90);
      }
    },
  );

  it('is not kept from us by a client either', () => {
    expect(recorded('parentbased_always_on', 1, asClient(unsampled))).toBe(TRIES);
    expect(recorded('parentbased_always_off', 1, asClient(sampled))).toBe(0);
  });

  it('is decided by a client that is trusted', () => {
    const trusted = ofClient(sampled, { trustsClients: true });
    expect(recorded('parentbased_always_off', 1, trusted)).toBe(TRIES);
    expect(ofClient(ROOT_CONTEXT, { trustsClients: false })).toBe(ROOT_CONTEXT);
  });
});
