import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FromPrimary } from '../../../src/lifecycle/worker-messages.js';
import { MetricsExchange } from '../../../src/supervision/metrics-exchange.js';
import { WORKER_METRIC } from '../../../src/supervision/primary-metrics.js';
import { literal, read, section, table } from '../../docs/markdown.js';

const OWN = [{ name: 'own' }];

describe('the metrics of all processes', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  function exchange() {
    const sent: [number, FromPrimary][] = [];
    const parts = {
      workers: () => [1, 2, 3],
      send: (to: number, message: FromPrimary) => void sent.push([to, message]),
    };
    return { sent, of: new MetricsExchange({ ...parts, own: async () => OWN }) };
  }

  it('reach the worker that was scraped when all have answered', async () => {
    const { sent, of } = exchange();
    of.hear(2, { says: 'collect', id: 7 });
    expect(sent.map(([to, { says }]) => [to, says])).toEqual([
      [1, 'metrics_wanted'],
      [3, 'metrics_wanted'],
    ]);
    of.hear(1, { says: 'metrics', id: 1, metrics: [{ name: 'a' }] });
    of.hear(3, { says: 'metrics', id: 1, metrics: [{ name: 'b' }] });
    await vi.advanceTimersByTimeAsync(0);
    const metrics = [
      ['primary', OWN],
      ['1', [{ name: 'a' }]],
      ['3', [{ name: 'b' }]],
    ];
    expect(sent.at(-1)).toEqual([2, { says: 'collected', id: 7, metrics, missing: [] }]);
  });

  it('name the worker that did not answer in time, and take no late answer', async () => {
    const { sent, of } = exchange();
    of.hear(1, { says: 'collect', id: 1 });
    of.hear(2, { says: 'metrics', id: 1, metrics: [] });
    await vi.advanceTimersByTimeAsync(1_500);
    of.hear(3, { says: 'metrics', id: 1, metrics: [] });
    expect(sent.at(-1)?.[1]).toMatchObject({ says: 'collected', missing: ['3'] });
    expect(sent.filter(([, { says }]) => says === 'collected')).toHaveLength(1);
  });

  it('of the primary are those that docs/workers.md lists', () => {
    const documented = table(section(read('docs/workers.md'), '## Watch'), 'name').map(({ name }) => literal(name));
    expect(documented).toEqual(Object.values(WORKER_METRIC));
  });
});
