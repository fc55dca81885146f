import { describe, expect, it } from 'vitest';
import { ANOMALIES } from '../../src/observability/anomalies/anomaly-report.js';
import { METRIC } from '../../src/observability/metrics/metrics.js';
import { fetch } from '../support/fetch.js';
import { connect } from '../support/test-client.js';
import { startTestServer } from '../support/test-server.js';
import { literal, read, section, table } from './markdown.js';

const document = read('docs/metrics.md');

describe('docs/metrics.md', () => {
  it('lists the metrics, each with the labels it has', async () => {
    const documented = table(section(document, '## Catalogue'), 'name');
    expect(new Set(documented.map(({ name }) => literal(name)))).toEqual(new Set(Object.values(METRIC)));

    await using server = await startTestServer();
    await using client = await connect(server.url);
    await client.request('nobody-knows-this');
    await fetch(`${server.http}/api/nodes`);
    await connect(server.url, { headers: { origin: 'http://elsewhere.example' } }).catch(() => undefined);
    const scraped = await (await fetch(`${server.http}/metrics`)).text();
    for (const { name, labels } of documented) {
      const sample = new RegExp(`^${literal(name)}(?:_count)?(?:\\{(.*)\\})? `, 'm').exec(scraped);
      const found = [...(sample?.[1] ?? '').matchAll(/(\w+)="/g)].map(([, label]) => label);
      // One that counts by label has no sample before the first.
      if (sample) expect([name, found]).toEqual([name, (labels ?? '').match(/\w+/g) ?? []]);
    }
  });

  it('lists the anomalies, each with its line', () => {
    const documented = table(section(document, '## Anomalies'), 'line').map(({ line, kind }) => [
      literal(kind),
      literal(line),
    ]);
    expect(Object.fromEntries(documented)).toEqual(ANOMALIES);
  });
});
