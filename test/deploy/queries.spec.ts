// @module-tag redis
import { beforeAll, describe, expect, it } from 'vitest';
import { read, section } from '../docs/markdown.js';
import { CertificateFolder, makeCertificate } from '../support/certificates.js';
import { fetch } from '../support/fetch.js';
import { freePort } from '../support/free-port.js';
import { namespacesFile } from '../support/namespaces-file.js';
import { RedisServer } from '../support/redis-server.js';
import { Scrape } from '../support/scrape.js';
import { connect } from '../support/test-client.js';
import { mintToken, startTestServer } from '../support/test-server.js';
import { dashboardExpressions, rules } from './expressions.js';
import { Vocabulary } from './vocabulary.js';

/** What a node shows that has everything: Redis, TLS, namespaces, and all that can happen behind it. */
async function scrapeOfEverything(): Promise<Scrape> {
  await using redis = await RedisServer.start();
  using files = new CertificateFolder(await makeCertificate());
  using namespaces = namespacesFile({ chat: 'subscribe: signed_in, history: { size: 10, age: 1m }' });
  const internalPort = await freePort();
  await using server = await startTestServer({
    ...files.environment,
    ...namespaces.environment,
    REDIS_URL: redis.url,
    INTERNAL_PORT: String(internalPort),
  });
  const http = `http://127.0.0.1:${internalPort}`;
  await using client = await connect(server.url, { rejectUnauthorized: false, claims: { sub: 'alice' } });
  await client.request('echo', 'x');
  await client.request('subscribe', { channel: 'chat:1' });
  await redis.kill();
  const headers = { authorization: `Bearer ${mintToken({ roles: ['ADMIN'] })}`, 'content-type': 'application/json' };
  const publication = { channel: 'chat:1', data: 1 };
  const answer = await fetch(`${http}/api/publish`, { method: 'POST', headers, body: JSON.stringify(publication) });
  expect(answer.status).toBe(503);
  return Scrape.of({ http });
}

let vocabulary: Vocabulary;
beforeAll(async () => {
  const catalogues = [
    section(read('docs/metrics.md'), '## Catalogue'),
    // What only the primary of several workers shows.
    section(read('docs/workers.md'), '## Watch'),
  ];
  vocabulary = new Vocabulary(await scrapeOfEverything(), ...catalogues);
  for (const { record, expr } of rules()) if (record !== undefined) vocabulary.record(record, expr);
});

describe('every name, label and value is one that a running server shows', () => {
  it.each([
    ['rule', rules().map(({ record, alert = record ?? '', expr }): [string, string] => [alert, expr])],
    ['panel', dashboardExpressions()],
  ])('in each %s', (_kind, expressions) => {
    const faults = expressions.map(([where, expression]) => ({ where, faults: vocabulary.faultsOf(expression) }));
    expect(expressions.length).toBeGreaterThan(50);
    expect(faults.filter((found) => found.faults.length > 0)).toEqual([]);
  });

  it.each([
    [
      'a name that is misspelt',
      'rate(websocket_connection_opened_total[5m])',
      'there is no websocket_connection_opened_total',
    ],
    [
      'a name that is not recorded',
      'job:websocket_connection_attempts:rate1m',
      'there is no job:websocket_connection_attempts:rate1m',
    ],
    [
      'a histogram as it stands',
      'websocket_redis_roundtrip_seconds > 1',
      'there is no websocket_redis_roundtrip_seconds',
    ],
    ['the bucket of what has none', 'rate(gatehouse_channels_bucket[5m])', 'there is no gatehouse_channels_bucket'],
    ['a label that is not there', 'websocket_redis_up{node="a"}', 'websocket_redis_up has no label node'],
    ['a grouping that is not there', 'sum by (codes) (websocket_errors_total)', 'nothing here has the label codes'],
    [
      'a value that never comes',
      'websocket_errors_total{code="INTERNAL"}',
      'code of websocket_errors_total is never INTERNAL',
    ],
    [
      'an alternative that never comes',
      'websocket_connections_refused_total{reason=~"banned|full"}',
      'reason of websocket_connections_refused_total is never banned|full',
    ],
    [
      'the rate of what goes up and down',
      'rate(websocket_active_connections[5m])',
      'rate of websocket_active_connections, which is a gauge',
    ],
    [
      'the slope of what only grows',
      'deriv(websocket_errors_total[5m])',
      'deriv of websocket_errors_total, which is a counter',
    ],
  ])('and %s is found', (_what, expression, fault) => {
    expect(vocabulary.faultsOf(expression)).toEqual([fault]);
  });

  it.each(['sum(rate(websocket_active_connections[5m])', 'up == ', 'up{job=gatehouse}', '1 + 1'])(
    'and %s, which is no query',
    (expression) => {
      expect(vocabulary.faultsOf(expression)).not.toEqual([]);
    },
  );
});
