import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { VERSION } from '../../config/version.js';
import { Bans, BREACH_REASONS } from '../../src/access/lists/bans.js';
import { ConnectionLimits } from '../../src/access/limits/connection-limits.js';
import { Revocations } from '../../src/access/lists/revocations.js';
import { MAX_NAMESPACES_TOLD_APART } from '../../src/channels/namespace-counts.js';
import { CLUSTER_LOSSES } from '../../src/cluster/ports/cluster-events.js';
import { Drain } from '../../src/lifecycle/drain.js';
import { AuditLog } from '../../src/observability/audit/audit-log.js';
import { METRIC } from '../../src/observability/metrics/metrics.js';
import { BREACHES } from '../../src/protocol/breaches.js';
import { ERRORS } from '@gatehouse/protocol';
import { OVERFLOW_REASONS } from '../../src/socket/outbound-budget.js';
import { SHED_REASONS } from '../../src/socket/outbound-observer.js';
import { HTTP_REFUSALS, TLS_FAILURES } from '../../src/transport/transport-events.js';
import { HTTP_FAULTS } from '../../src/upgrade/pending/http-faults.js';
import { REFUSALS } from '../../src/upgrade/ladder/refusals.js';
import { literal, read, section, table } from '../docs/markdown.js';
import { api } from '../support/api-client.js';
import { CertificateFolder, makeCertificate } from '../support/certificates.js';
import { namespacesFile } from '../support/namespaces-file.js';
import { RawClient } from '../support/raw-client.js';
import { Scrape } from '../support/scrape.js';
import { StoppedClock } from '../support/stopped-clock.js';
import { connect, type Message, type TestClient } from '../support/test-client.js';
import { TestNodes } from '../support/test-nodes.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';

interface Documented {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
}

/** The table of docs/metrics.md, which says of a histogram that it is one. */
const CATALOGUE: readonly Documented[] = table(section(read('docs/metrics.md'), '## Catalogue'), 'name').map(
  ({ name, labels = '', what = '' }) => {
    const plain = literal(name) ?? '';
    const counterOrGauge = plain.endsWith('_total') ? 'counter' : 'gauge';
    return {
      name: plain,
      type: what.includes('(histogram)') ? 'histogram' : counterOrGauge,
      labels: labels.match(/\w+/g) ?? [],
    };
  },
);

/** Labels whose values are known before anything happens. */
const KNOWN_VALUES: Readonly<Record<string, readonly string[]>> = {
  websocket_connections_refused_total: Object.keys(REFUSALS),
  websocket_connections_closed_total: ['1000', '1006', '1012', '4008', '4401', 'other'],
  websocket_errors_total: Object.keys(ERRORS),
  websocket_dropped_messages_total: [...OVERFLOW_REASONS, ...SHED_REASONS],
  websocket_breaches_total: [...BREACHES],
  gatehouse_http_cut_total: Object.keys(HTTP_FAULTS),
  gatehouse_http_refused_total: HTTP_REFUSALS,
  websocket_tls_errors_total: TLS_FAILURES,
  gatehouse_tls_reloads_total: ['loaded', 'refused'],
  websocket_recoveries_total: ['recovered', 'gap'],
  websocket_bans_total: [...BREACH_REASONS, 'operator'],
  websocket_messages_over_rate_total: ['session', 'address'],
  gatehouse_subscriptions_dropped_total: ['channel', 'presence'],
  websocket_cluster_losses_total: CLUSTER_LOSSES,
  gatehouse_sessions: ['v1.json', 'v1.binary', 'v2.proto'],
  gatehouse_node_state: ['starting', 'ready', 'draining'],
  gatehouse_channels: ['room', 'feed', 'user', 'telemetry'],
  gatehouse_deliveries_total: ['room', 'feed', 'user', 'telemetry'],
  websocket_network_bytes_total: ['in', 'out'],
  gatehouse_priority_frames_held_total: ['high', 'normal', 'low'],
  gatehouse_priority_frames_dropped_total: ['high', 'normal', 'low'],
  gatehouse_compression_frames_total: ['compressed', 'incompressible', 'busy'],
  gatehouse_compression_bytes_total: ['before', 'after'],
};

/** Names and labels of the lines that show a metric; of a histogram those of `_count`. */
function samplesOf({ text }: Scrape, { name, type }: Documented): readonly (readonly string[])[] {
  const line = new RegExp(`^${name}${type === 'histogram' ? '_count' : ''}(?:\\{(.*)\\})? `, 'gm');
  return [...text.matchAll(line)].map(([, labels = '']) =>
    [...labels.matchAll(/(\w+)="/g)].map(([, label = '']) => label),
  );
}

/** By how much each series grew while `act` ran. */
async function growth(server: TestServer, act: () => Promise<unknown>): Promise<(series: string) => number> {
  const earlier = await Scrape.of(server);
  await act();
  const later = await Scrape.of(server);
  return (series) => later.since(earlier, series);
}

/** Not asked more often than ten times a second: a scrape takes more processor time than what is waited for. */
async function shows(server: TestServer, what: string, holds: (scrape: Scrape) => boolean): Promise<void> {
  await expect.poll(async () => holds(await Scrape.of(server)), { message: what, interval: 100 }).toBe(true);
}

/** The next message of a type; others are passed over. */
async function nextOf(client: TestClient, type: string): Promise<Message> {
  for (;;) {
    const message = await client.next();
    if (message.type === type) return message;
  }
}

describe('the catalogue of metrics', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({
      HEARTBEAT_INTERVAL_MS: '100',
      MESSAGE_RATE: '40',
      MESSAGE_BURST: '40',
      // So long that no test reaches them.
      HEARTBEAT_TIMEOUT_MS: '600000',
      MESSAGE_TIMEOUT_MS: '600000',
      DRAIN_TIMEOUT_MS: '600000',
    });
  });
  afterAll(() => server.close());
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('shows each with the type that is documented, and with 0 for every label known before', async () => {
    const scrape = await Scrape.of(server);
    for (const { name, type } of CATALOGUE) expect([name, scrape.type(name)]).toEqual([name, type]);
    for (const [name, values] of Object.entries(KNOWN_VALUES)) {
      const { labels = [] } = CATALOGUE.find((metric) => metric.name === name) ?? {};
      expect([name, scrape.labels(name, labels[0] ?? '')]).toEqual([name, expect.arrayContaining([...values])]);
    }
    expect(scrape.value(`gatehouse_build_info{version="${VERSION}",node_version="${process.version}"}`)).toBe(1);
  });

  it('shows how late the event loop was since the last scrape', async () => {
    const lag = async (): Promise<Record<string, number>> => {
      const scrape = await Scrape.of(server);
      const valueOf = (what: string): [string, number] => [what, scrape.value(`nodejs_eventloop_lag_${what}_seconds`)];
      expect(scrape.value('nodejs_eventloop_lag_seconds')).toBeGreaterThanOrEqual(0);
      return Object.fromEntries(['min', 'p50', 'p90', 'p99', 'max', 'mean', 'stddev'].map(valueOf));
    };
    await shows(
      server,
      'nodejs_eventloop_lag_min_seconds',
      (scrape) => scrape.value('nodejs_eventloop_lag_min_seconds') > 0,
    );
    const { min, p50, p90, p99, max, mean, stddev } = await lag();
    const rising = [min, p50, p90, p99];
    expect(rising).toEqual(rising.toSorted((one, other) => Number(one) - Number(other)));
    expect(max).toBeGreaterThanOrEqual(Number(mean));
    expect(stddev).toBeGreaterThanOrEqual(0);
  });

  it('shows the processor, memory, files and event loop of the process', async () => {
    for (const name of [
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'process_start_time_seconds',
      'nodejs_heap_size_used_bytes',
      'nodejs_eventloop_lag_p99_seconds',
      'nodejs_gc_duration_seconds_count{kind="minor"}',
    ])
      await shows(server, name, (scrape) => scrape.value(name) > 0);
    const scrape = await Scrape.of(server);
    expect(scrape.value('gatehouse_event_loop_utilization_ratio')).toBeGreaterThan(0);
    expect(scrape.value('gatehouse_event_loop_utilization_ratio')).toBeLessThanOrEqual(1);
  });

  it('counts every byte that the network carries for a session, from the upgrade to the close, while it is open and after', async () => {
    const carried = (scrape: Scrape) => ({
      in: scrape.value('websocket_network_bytes_total{direction="in"}'),
      out: scrape.value('websocket_network_bytes_total{direction="out"}'),
    });
    const earlier = carried(await Scrape.of(server));
    const client = await connect(server.url, { protocols: ['v1.json'] });
    const bytesOf = meterOf(client);
    await client.request('echo', 'x'.repeat(5_000));
    const open = await Scrape.of(server);
    expect(open.value('gatehouse_sessions{protocol="v1.json"}')).toBe(1);
    expect(carried(open).in - earlier.in).toBeGreaterThan(5_000);
    expect(carried(open).out - earlier.out).toBeGreaterThan(5_000);
    client.socket.close(1000);
    await client.closed;
    await shows(server, 'it is gone', (scrape) => scrape.value('gatehouse_sessions{protocol="v1.json"}') === 0);
    const later = carried(await Scrape.of(server));
    expect({ in: later.in - earlier.in, out: later.out - earlier.out }).toEqual(bytesOf());
  });

  it('moves with what is wrong at the doors and in messages', async () => {
    await using client = await connect(server.url);
    await using breaking = await connect(server.url);
    await using flooding = await connect(server.url);
    const grew = await growth(server, async () => {
      await client.request('nobody-knows-this');
      breaking.send(Buffer.from('binary'));
      await breaking.closed;
      await connect(server.url.replace('/ws', '/nowhere')).catch(() => undefined);
      await using garbage = await RawClient.connect(server.port);
      garbage.socket.write('GARBAGE\r\n\r\n');
      await garbage.closed();
      // No token comes back while they are handled.
      using _ = new StoppedClock();
      for (let n = 0; n < 60; n += 1) flooding.send({ type: 'echo', data: n });
      await nextOf(flooding, 'error');
    });
    expect(grew('websocket_errors_total{code="UNKNOWN_MESSAGE_TYPE"}')).toBe(1);
    expect(grew('websocket_breaches_total{reason="wrong_frame_kind"}')).toBe(1);
    expect(grew('websocket_connections_refused_total{reason="unknown_path"}')).toBe(1);
    expect(grew('gatehouse_http_cut_total{reason="malformed_request"}')).toBe(1);
    expect(grew('websocket_errors_total{code="RATE_LIMIT_EXCEEDED"}')).toBeGreaterThan(0);
    expect(grew('websocket_messages_over_rate_total{of="session"}')).toBeGreaterThan(0);
  });

  it('moves with pings, with messages in arrival, and with connections that are no session', async () => {
    await using half = await RawClient.upgrade(server.port, { headers: { Authorization: `Bearer ${mintToken()}` } });
    await half.answer();
    const earlier = await Scrape.of(server);
    await using idle = await RawClient.connect(server.port);
    // The head of a masked text frame of 60,000 bytes, and the first of them.
    half.socket.write(Buffer.concat([Buffer.from([0x81, 0xfe, 0xea, 0x60, 0, 0, 0, 0]), Buffer.alloc(5_000, 'x')]));
    await shows(server, 'bytes in arrival', (scrape) => scrape.value('websocket_inbound_bytes') >= 5_000);
    expect((await Scrape.of(server)).since(earlier, 'gatehouse_http_connections')).toBe(1);
    idle.socket.destroy();
    await using client = await connect(server.url);
    await shows(server, 'a pong', (scrape) => scrape.since(earlier, 'websocket_heartbeat_rtt_seconds_count') > 0);
    expect(client.unread).toEqual([]);
  });

  it('counts channels, subscriptions, publications, deliveries and recoveries, by namespace', async () => {
    await using alice = await connect(server.url, { claims: { sub: 'alice' } });
    await using bob = await connect(server.url, { claims: { sub: 'bob' } });
    const before = await Scrape.of(server);
    const { data } = await alice.request('subscribe', { channel: 'room:a', presence: true });
    await bob.request('subscribe', { channel: 'room:a' });
    await bob.request('subscribe', { channel: 'room:b' });
    bob.send({ type: 'publish', data: { channel: 'room:a', data: 1 } });
    await Promise.all([nextOf(alice, 'message'), nextOf(bob, 'publish_reply')]);
    await api(server, 'POST /api/publish', { body: { channel: 'feed:news', data: 2, idempotencyKey: 'once' } });
    await api(server, 'POST /api/publish', { body: { channel: 'feed:news', data: 2, idempotencyKey: 'once' } });
    alice.send({ type: 'subscribe', data: { channel: 'room:a', since: data } });
    await nextOf(alice, 'subscribe_reply');

    const during = await Scrape.of(server);
    const of = (series: string): number => during.since(before, series);
    expect(of('gatehouse_channels{namespace="room"}')).toBe(2);
    expect(of('gatehouse_subscriptions{namespace="room"}')).toBe(3);
    expect(of('gatehouse_publications_total{namespace="room"}')).toBe(1);
    expect(of('gatehouse_publications_total{namespace="feed"}')).toBe(1);
    expect(of('gatehouse_deliveries_total{namespace="room"}')).toBe(2);
    expect(of('gatehouse_deliveries_total{namespace="feed"}')).toBe(0);
    expect(of('websocket_recoveries_total{result="recovered"}')).toBe(1);
    expect(of('gatehouse_api_requests_total{route="POST /api/publish",status="200"}')).toBe(2);

    await bob.request('unsubscribe', { channel: 'room:b' });
    await alice[Symbol.asyncDispose]();
    await shows(
      server,
      'one is left',
      (scrape) => scrape.since(before, 'gatehouse_subscriptions{namespace="room"}') === 1,
    );
    expect((await Scrape.of(server)).since(before, 'gatehouse_channels{namespace="room"}')).toBe(1);
  });

  it('moves with bans and revocations, and with what there was no room for', async () => {
    const grew = await growth(server, async () => {
      await api(server, 'POST /api/bans', { body: { kind: 'user', key: 'eve', durationMs: 60_000 } });
      await api(server, 'POST /api/revocations', { body: { kind: 'token', key: 'stolen' } });
      // Their own tests fill what these count.
      vi.spyOn(Revocations.prototype, 'refusedCount', 'get').mockReturnValue(3);
      vi.spyOn(ConnectionLimits.prototype, 'dropped', 'get').mockReturnValue(4);
      vi.spyOn(Bans.prototype, 'dropped', 'get').mockReturnValue({ ban: 5, offence: 6 });
    });
    expect(grew('websocket_bans_active')).toBe(1);
    expect(grew('websocket_bans_total{reason="operator"}')).toBe(1);
    expect(grew('gatehouse_revocations_active')).toBe(1);
    expect(grew('gatehouse_revocations_refused_total')).toBe(3);
    expect(
      ['rate', 'ban', 'offence'].map((what) => grew(`gatehouse_addresses_forgotten_total{what="${what}"}`)),
    ).toEqual([4, 5, 6]);
  });

  it('has for each metric a test that names it', () => {
    const specs = readdirSync('test', { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.spec.ts'),
    );
    const tests = specs
      .filter((file) => !file.startsWith('docs'))
      .map((file) => readFileSync(join('test', file), 'utf8'));
    const all = tests.join('\n');
    const untested = Object.entries(METRIC).filter(
      ([key, name]) => !all.includes(name) && !all.includes(`METRIC.${key}`),
    );
    expect(untested).toEqual([]);
  });

  it('shows how far a drain is, and that the node drains', async () => {
    await using stubborn = await RawClient.upgrade(server.port, {
      headers: { Authorization: `Bearer ${mintToken()}` },
    });
    await stubborn.answer();
    const ready = await Scrape.of(server);
    expect(ready.value('gatehouse_node_state{state="ready"}')).toBe(1);
    expect(ready.value('gatehouse_drain_sessions_leaving')).toBe(0);

    server.app.get(Drain, { strict: false }).begin();
    const draining = await Scrape.of(server);
    expect(draining.value('gatehouse_node_state{state="ready"}')).toBe(0);
    expect(draining.value('gatehouse_node_state{state="draining"}')).toBe(1);
    expect(draining.value('gatehouse_drain_sessions_leaving')).toBeGreaterThan(0);
    expect(draining.value('gatehouse_drain_sessions_remaining')).toBeGreaterThan(0);
    stubborn.socket.destroy();
    await shows(server, 'all are gone', (scrape) => scrape.value('gatehouse_drain_sessions_remaining') === 0);
  });

  it('shows each with exactly the labels that are documented', async () => {
    const scrape = await Scrape.of(server);
    for (const metric of CATALOGUE) {
      for (const labels of samplesOf(scrape, metric))
        expect([metric.name, labels]).toEqual([metric.name, metric.labels]);
    }
  });
});

// A registry belongs to the process: what is read at a scrape is that of the server that was started last.
describe('the metrics of other servers', () => {
  it('counts the records of TLS as well', async () => {
    const certificate = await makeCertificate();
    using files = new CertificateFolder(certificate);
    await using secure = await startTestServer(files.environment);
    await using client = await connect(secure.url, { ca: certificate.cert });
    await client.request('echo', 'x'.repeat(1_000));
    const scrape = await Scrape.of(secure, certificate.cert);
    // The certificate alone takes more than 300 bytes, a record 22 and more.
    expect(scrape.value('websocket_network_bytes_total{direction="out"}')).toBeGreaterThan(client.bytesRead + 300);
  });

  it('tells a hundred namespaces apart, and counts the rest together', async () => {
    const names = Array.from({ length: MAX_NAMESPACES_TOLD_APART + 2 }, (_, index) => `n${index}`);
    const options = 'subscribe: anyone, publish: anyone';
    using files = namespacesFile(Object.fromEntries(names.map((name) => [name, options])));
    await using many = await startTestServer(files.environment);
    await using client = await connect(many.url);
    const lastTwo = names.slice(-2);
    for (const name of [...lastTwo, 'n0']) {
      await client.request('subscribe', { channel: `${name}:x` });
      client.send({ type: 'publish', data: { channel: `${name}:x`, data: 1 } });
      await nextOf(client, 'publish_reply');
    }
    const scrape = await Scrape.of(many);
    expect(scrape.value('gatehouse_deliveries_total{namespace="n0"}')).toBe(1);
    expect(scrape.value('gatehouse_channels{namespace="other"}')).toBe(2);
    expect(scrape.value('gatehouse_deliveries_total{namespace="other"}')).toBe(2);
    expect(scrape.labels('gatehouse_channels', 'namespace')).toHaveLength(MAX_NAMESPACES_TOLD_APART + 1);
  });
});

describe('the metrics of audit log and log', () => {
  it('count what was left out at the end of each period', async () => {
    const server = await startTestServer({ AUDIT_LINES_PER_SOURCE: '1' });
    const registry = server.app.get(Registry, { strict: false });
    const leftOut = async (): Promise<number> => {
      const { values = [] } = (await registry.getSingleMetric(METRIC.auditLeftOut)?.get()) ?? {};
      return values.find(({ labels }) => labels.group === 'refusal')?.value ?? 0;
    };
    const before = await leftOut();
    for (let n = 0; n < 3; n += 1) await connect(`${server.url}/nowhere`).catch(() => undefined);
    await server.close();
    expect((await leftOut()) - before).toBe(2);
  });

  it.runIf(existsSync('/dev/full'))('count the lines that were lost, as those of the log do', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-full-'));
    symlinkSync('/dev/full', join(folder, 'combined.log'));
    await using server = await startTestServer({ AUDIT_FILE: '/dev/full', LOG_DIR: folder });
    const earlier = await Scrape.of(server);
    const audit = server.app.get(AuditLog, { strict: false });
    const line = { who: 'backend', action: 'publish', target: 'x'.repeat(1_000), outcome: 'done' } as const;
    for (let n = 0; n < 2_000; n += 1) audit.write('api_call', line);
    for (let n = 0; n < 60; n += 1) server.logger.info('x'.repeat(100_000));
    await shows(server, 'lost lines', (scrape) => scrape.since(earlier, 'gatehouse_audit_lines_lost_total') > 0);
    const ofTheLog = 'gatehouse_log_lines_lost_total{output="combined.log"}';
    await shows(server, 'lost log lines', (scrape) => scrape.since(earlier, ofTheLog) > 0);
    rmSync(folder, { recursive: true });
  });
});

describe('the metrics of a cluster', () => {
  it('move with Redis, with what comes from other nodes, and with what is lost when Redis goes', async () => {
    await using nodes = await TestNodes.start(['a', 'b']);
    // Nodes of one process share a registry: what is read at a scrape is that of the one that was started last.
    const [other, server] = [nodes.at(0), nodes.at(1)];
    await using ann = await connect(other.url, { claims: { sub: 'ann', roles: ['ADMIN'] } });
    await using bob = await connect(server.url, { claims: { sub: 'bob', roles: ['ADMIN'] } });
    await bob.request('subscribe', { channel: 'feed:x' });
    const earlier = await Scrape.of(server);
    expect(earlier.value('websocket_redis_up')).toBe(1);
    expect(earlier.value('websocket_cluster_nodes')).toBe(2);

    await ann.request('publish', { channel: 'feed:x', data: 1 });
    await nextOf(bob, 'message');
    const later = await Scrape.of(server);
    expect(later.since(earlier, 'websocket_cluster_lag_seconds_count')).toBeGreaterThan(0);
    expect(later.since(earlier, 'websocket_cluster_lag_seconds_sum')).toBeGreaterThanOrEqual(0);
    expect(later.since(earlier, 'gatehouse_deliveries_total{namespace="feed"}')).toBe(1);
    // It was made on the other node.
    expect(later.since(earlier, 'gatehouse_publications_total{namespace="feed"}')).toBe(0);
    await shows(
      server,
      'a ping of Redis',
      (scrape) => scrape.since(earlier, 'websocket_redis_roundtrip_seconds_count') > 1,
    );
    expect((await Scrape.of(server)).since(earlier, 'websocket_redis_roundtrip_seconds_sum')).toBeGreaterThan(0);

    await nodes.redis.kill();
    await shows(server, 'Redis is gone', (scrape) => scrape.value('websocket_redis_up') === 0);
    bob.send({ type: 'broadcast', data: 'only here' });
    await nextOf(bob, 'broadcast');
    await shows(
      server,
      'the loss',
      (scrape) => scrape.since(earlier, 'websocket_cluster_losses_total{what="word"}') > 0,
    );
  });
});

/** What the network has carried for a client: asked of its TCP connection, which is kept, for the client forgets it at its end. */
function meterOf({ socket }: TestClient): () => { in: number; out: number } {
  const tcp = Reflect.get(socket, '_socket') as { readonly bytesRead: number; readonly bytesWritten: number };
  return () => ({ in: tcp.bytesWritten, out: tcp.bytesRead });
}
