import { getHeapStatistics } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { Scrape } from '../support/scrape.js';
import { startTestServer } from '../support/test-server.js';

describe('the limits among the metrics', () => {
  it('are those of the settings and of the process', async () => {
    await using server = await startTestServer({
      MAX_CONNECTIONS: '70',
      MAX_HTTP_CONNECTIONS: '60',
      OUTBOUND_BUDGET_BYTES: '50000000',
      INBOUND_BUDGET_BYTES: '40000000',
    });
    const scrape = await Scrape.of(server);
    expect(scrape.value('gatehouse_max_connections')).toBe(70);
    expect(scrape.value('gatehouse_max_http_connections')).toBe(60);
    expect(scrape.value('gatehouse_outbound_budget_bytes')).toBe(50_000_000);
    expect(scrape.value('gatehouse_inbound_budget_bytes')).toBe(40_000_000);
    expect(scrape.value('gatehouse_heap_limit_bytes')).toBe(getHeapStatistics().heap_size_limit);
    expect(scrape.value('gatehouse_memory_limit_bytes')).toBeGreaterThan(0);
  });

  it('are not shown where there are none, so that nothing is a share of zero', async () => {
    await using server = await startTestServer({ MAX_CONNECTIONS: '0', OUTBOUND_BUDGET_BYTES: '0' });
    const { text } = await Scrape.of(server);
    expect(text).not.toMatch(/^gatehouse_(max_connections|outbound_budget_bytes) /m);
    expect(text).toMatch(/^gatehouse_inbound_budget_bytes \d+$/m);
  });
});
