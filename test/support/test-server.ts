import { PassThrough } from 'node:stream';
import { createHmac } from 'node:crypto';
import { loadSettings, type Environment } from '../../config/settings.js';
import { startServer, type GatehouseServer, type StartOptions } from '../../src/server.js';

export const TEST_SECRET = 'a-secret-of-tests-with-enough-characters';

/** Limits that would get in the way of tests that are about something else. */
export const TEST_ENVIRONMENT: Environment = {
  NODE_ENV: 'test',
  PORT: '0',
  HOST: '127.0.0.1',
  SERVER_ID: 'test-node',
  JWT_SECRET: TEST_SECRET,
  CONNECTION_RATE_PER_IP: '0',
  MAX_CONNECTIONS_PER_IP: '0',
  MAX_HTTP_CONNECTIONS_PER_IP: '0',
  MAX_CONNECTIONS_PER_USER: '0',
  MESSAGE_RATE: '0',
  MESSAGE_RATE_PER_IP: '0',
  RECONNECT_WINDOW_MS: '100',
  // A ping may come at any time, and tests of frames wait for others. A starved client answers it late, and a reader
  // that has stopped does not answer it.
  HEARTBEAT_INTERVAL_MS: '0',
  HEARTBEAT_TIMEOUT_MS: '300000',
  UPGRADE_TIMEOUT_MS: '300000',
  // A starved process would take Redis for silent.
  REDIS_TIMEOUT_MS: '60000',
  // Tests of limits and bans come from this machine.
  LIMITS_EXEMPT_LOOPBACK: 'off',
  // Tests hold up the event loop that they share with the server.
  OVERLOAD_EVENT_LOOP_LAG_MS: '0',
  OVERLOAD_HEAP_PERCENT: '0',
  // As busy as they make it, too.
  ANOMALY_PROCESSOR_PERCENT: '0',
  ANOMALY_EVENT_LOOP_LAG_MS: '0',
  ANOMALY_MEMORY_PERCENT: '0',
};

export interface TestServer extends GatehouseServer, AsyncDisposable {
  /** `ws://127.0.0.1:…/ws`, or wss where it speaks TLS */
  readonly url: string;
  /** `http://127.0.0.1:…`, or https */
  readonly http: string;
  /** Every log line so far, parsed, without those of the audit. */
  readonly logLines: Record<string, unknown>[];
  /** Every line of the audit so far, where it has no file of its own. */
  readonly auditLines: Record<string, unknown>[];
}

/** A real server in this process, on a free port. `await using` closes it. */
export async function startTestServer(
  environment: Environment = {},
  features: StartOptions['features'] = [],
): Promise<TestServer> {
  const settings = loadSettings({ ...TEST_ENVIRONMENT, ...environment });
  const logLines: Record<string, unknown>[] = [];
  const auditLines: Record<string, unknown>[] = [];
  const destination = new PassThrough();
  destination.on('data', (line: Buffer) => {
    for (const text of line.toString().trim().split('\n')) {
      const parsed = JSON.parse(text) as Record<string, unknown>;
      (parsed.msg === 'audit' ? auditLines : logLines).push(parsed);
    }
  });
  const server = await startServer(settings, { logOutput: destination, features });
  const secure = settings.tls.certFile === undefined ? '' : 's';
  return {
    ...server,
    url: `ws${secure}://127.0.0.1:${server.port}${settings.server.wsPath}`,
    http: `http${secure}://127.0.0.1:${server.port}`,
    logLines,
    auditLines,
    [Symbol.asyncDispose]: () => server.close(),
  };
}

/** An HS256 token made by hand, so that tests do not verify with the code that they test. */
export function mintToken(claims: Record<string, unknown> = {}, secret = TEST_SECRET): string {
  const now = Math.floor(Date.now() / 1000);
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const body = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: 'alice', iat: now, exp: now + 3600, ...claims })}`;
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
}
