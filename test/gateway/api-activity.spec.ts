import { describe, expect, it } from 'vitest';
import { LoadMeter } from '../../src/lifecycle/load-meter.js';
import { KEPT_LINES, type AuditLine } from '../../src/observability/audit/audit-tail.js';
import { AuditLog } from '../../src/observability/audit/audit-log.js';
import { AnomalyReport } from '../../src/observability/anomalies/anomaly-report.js';
import type { ActivityAnswer } from '../../src/server-api/activity/activity.requests.js';
import { api } from '../support/api-client.js';
import { sharedServers } from '../support/shared-server.js';
import { connect } from '../support/test-client.js';
import { mintToken, startTestServer, type TestServer } from '../support/test-server.js';

const serverWith = sharedServers();

const admin = mintToken({ sub: 'chief', roles: ['ADMIN'] });

async function activity(server: TestServer): Promise<ActivityAnswer> {
  return (await api(server, 'GET /api/activity')).body as ActivityAnswer;
}

/** The meter samples twice a second; this is as many samples as a step has. */
function passSteps(server: TestServer, steps: number): void {
  const meter = server.app.get(LoadMeter, { strict: false });
  for (let sample = 0; sample < 10 * steps; sample += 1) meter.emit('measured');
}

describe('GET /api/activity', () => {
  it('shows the state of the node and its rates, and keeps ten minutes of them', async () => {
    await using server = await startTestServer();
    await using client = await connect(server.url);
    for (let n = 0; n < 3; n += 1) await client.request('echo', n);
    await client.request('nonsense');
    passSteps(server, 1);
    const { nodes, missing } = await activity(server);
    const state = {
      nodeId: 'test-node',
      state: 'ready',
      engine: 'memory',
      isEngineUp: true,
      anomalies: [],
      stepMs: 5_000,
    };
    expect({ nodes, missing }).toMatchObject({ nodes: [state], missing: [] });
    const { series } = nodes[0] ?? expect.fail();
    expect(series.sessions.at(-1)).toBe(1);
    for (const name of ['received', 'sent', 'errors'] as const) expect(Math.max(...series[name])).toBeGreaterThan(0);
    passSteps(server, 200);
    const after = (await activity(server)).nodes[0]?.series;
    expect(Object.values(after ?? {}).map(({ length }: readonly number[]) => length)).toEqual(Array(6).fill(120));
  });

  it('names the anomalies that last', async () => {
    await using server = await startTestServer();
    const report = server.app.get(AnomalyReport, { strict: false });
    const storm = { kind: 'error_storm', sentence: 'error storm', limit: 10 } as const;
    report.began(storm, 17, 1);
    const active = { kind: 'error_storm', value: 17, limit: 10, since: expect.any(Number) as number };
    expect((await activity(server)).nodes[0]?.anomalies).toEqual([active]);
    report.over(storm, { durationMs: 1, peak: 17 });
    expect((await activity(server)).nodes[0]?.anomalies).toEqual([]);
  });

  it('says that a node drains', async () => {
    await using server = await startTestServer();
    await api(server, 'POST /api/drain', { body: {} });
    expect((await activity(server)).nodes).toMatchObject([{ state: 'draining' }]);
  });
});

describe('GET /api/audit', () => {
  const lines = async (server: TestServer, query = ''): Promise<readonly AuditLine[]> =>
    ((await api(server, `GET /api/audit${query}`, { token: admin })).body as { lines: AuditLine[] }).lines;

  it('brings the newest lines first, those of operators apart from those of clients', async () => {
    await using server = await startTestServer();
    await using client = await connect(server.url, { claims: { sub: 'alice' } });
    await client.request('ping');
    await api(server, 'DELETE /api/users/alice/sessions', { token: admin });
    await client.closed;
    const [call] = await lines(server, '?cause=server');
    const fields = { who: 'chief', action: 'end-sessions', target: 'alice', outcome: 'done' };
    expect(call).toMatchObject({ nodeId: 'test-node', cause: 'server', event: 'api_call', fields });
    const ofClients = (await lines(server, '?cause=clients')).map(({ event }) => event);
    expect(ofClients).toContain('connection_accepted');
    expect(ofClients).not.toContain('api_call');
    const both = await lines(server);
    expect(both.map(({ at }) => at)).toEqual(both.map(({ at }) => at).toSorted((left, right) => right - left));
  });

  it('keeps so many, and clients push out only their own', async () => {
    await using server = await startTestServer();
    const log = server.app.get(AuditLog, { strict: false });
    log.write('api_call', { who: 'chief', action: 'ban' });
    for (let n = 0; n <= KEPT_LINES; n += 1) log.writeBounded('api_refused', `source ${n}`, () => ({ status: n }));
    const ofClients = await lines(server, `?cause=clients&limit=${KEPT_LINES}`);
    expect(ofClients).toHaveLength(KEPT_LINES);
    expect((await lines(server, '?cause=server&limit=1'))[0]).toMatchObject({ fields: { action: 'ban' } });
  });

  it('is empty where there is no audit log', async () => {
    await using server = await startTestServer({ AUDIT_LOG: 'off' });
    expect(await lines(server)).toEqual([]);
  });

  it.each(['limit=0', 'limit=501', 'cause=me', 'event=x'])('refuses ?%s', async (query) => {
    const server = await serverWith();
    expect((await api(server, `GET /api/audit?${query}`, { token: admin })).status).toBe(422);
  });
});

describe('the role VIEWER', () => {
  const viewer = mintToken({ sub: 'onlooker', roles: ['VIEWER'] });

  it('reads, and is refused whatever would change something before its body is read', async () => {
    await using server = await startTestServer();
    expect((await api(server, 'GET /api/sessions', { token: viewer })).status).toBe(200);
    const { status, body } = await api(server, 'POST /api/broadcast', { token: viewer, body: 'no JSON' });
    expect({ status, body }).toMatchObject({ status: 403, body: { detail: 'The role VIEWER changes nothing' } });
    expect((await api(server, 'GET /api/audit', { token: viewer })).status).toBe(403);
  });

  it('takes nothing from a person who has another role as well', async () => {
    await using server = await startTestServer();
    const both = mintToken({ sub: 'both', roles: ['VIEWER', 'SERVICE'] });
    expect((await api(server, 'POST /api/broadcast', { token: both, body: { data: 1 } })).status).toBe(200);
  });
});
