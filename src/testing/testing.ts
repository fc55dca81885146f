/** The exports of `gatehouse/testing`, for tests of gateways. */
import 'reflect-metadata';
import type { DynamicModule, INestApplication, Type } from '@nestjs/common';
import { PassThrough } from 'node:stream';
import { settingsOf, type SettingsSource } from '../../config/settings-source.js';
import { TokenMinter } from '../authentication/token-minter.js';
import { startServer } from '../server.js';
import { ContractViolation, OutgoingCheck } from './outgoing-check.js';
import { TestClient } from './test-client.js';

export { ContractViolation } from './outgoing-check.js';
export { StoppedClock } from './stopped-clock.js';
export { ReplyError, TestClient, type Closed, type ServerSent } from './test-client.js';

/** The options of a test server. */
export interface TestServerOptions {
  /** The modules with the gateways under test. */
  readonly features?: readonly (Type | DynamicModule)[];
  /** By the names of .env.example, such as `MESSAGE_RATE`. The environment of the process is not read. */
  readonly settings?: SettingsSource['settings'];
  /**
   * Whether all that the application sends must fit its contract. What does not fit throws where it is sent, and rejects the
   * request of a test client that it answers, or the disposal of the server. Default: true.
   */
  readonly checkContract?: boolean;
}

/** The claims of a token. */
export interface TokenClaims {
  /** The user. Default: alice. */
  readonly sub?: string;
  /** Default: none. */
  readonly roles?: readonly string[];
  /** Default: an hour. */
  readonly expiresInSeconds?: number;
}

/** A real server in the process of the test. `await using` closes it. */
export interface TestServer extends AsyncDisposable {
  /** For clients: `ws://127.0.0.1:<port>/ws`. */
  readonly url: string;
  /** For requests over HTTP: `http://127.0.0.1:<port>`. */
  readonly http: string;
  /** The application: `server.app.get(MyService, { strict: false })`. */
  readonly app: INestApplication;
  /** The lines of the log so far, from LOG_LEVEL (`warn` unless it is set) on. */
  readonly logLines: readonly Readonly<Record<string, unknown>>[];
  /** A token that this server accepts. */
  mintToken(claims?: TokenClaims): string;
  /** Connects a client with a token of these claims, or without a token if they are false. */
  connect(claims?: TokenClaims | false): Promise<TestClient>;
}

const DEFAULTS = {
  NODE_ENV: 'test',
  PORT: '0',
  HOST: '127.0.0.1',
  JWT_SECRET: 'a-secret-of-tests-with-enough-characters',
  LOG_LEVEL: 'warn',
  LOG_FORMAT: 'json',
  AUDIT_LOG: 'off',
  // The test shares its process, its address and its event loop with the server.
  CONNECTION_RATE_PER_IP: '0',
  MAX_CONNECTIONS_PER_IP: '0',
  MESSAGE_RATE: '0',
  MESSAGE_RATE_PER_IP: '0',
  HEARTBEAT_INTERVAL_MS: '0',
  OVERLOAD_EVENT_LOOP_LAG_MS: '0',
  OVERLOAD_HEAP_PERCENT: '0',
  RECONNECT_WINDOW_MS: '100',
};
const HOUR_IN_SECONDS = 3_600;

/**
 * Starts a real server on a free port of 127.0.0.1. Limits that would get in the way of a test are off; set those that you test.
 * Everything that the application sends is held against its contract.
 *
 * @throws UnusableSettings naming every setting that cannot be used
 */
export async function startTestServer({
  features = [],
  settings = {},
  checkContract = true,
}: TestServerOptions = {}): Promise<TestServer> {
  const complete = settingsOf({ settings, environment: DEFAULTS });
  const logLines: Record<string, unknown>[] = [];
  const server = await startServer(complete, { features, logOutput: collect(logLines) });
  const { app, port } = server;
  const violations = checkContract ? (await OutgoingCheck.before(app)).violations : [];
  const url = `ws://127.0.0.1:${port}${complete.server.wsPath}`;
  const mintToken = ({ sub = 'alice', roles = [], expiresInSeconds = HOUR_IN_SECONDS }: TokenClaims = {}): string =>
    app.get(TokenMinter, { strict: false }).mint({ sub, roles, expiresInSeconds });
  return {
    url,
    http: `http://127.0.0.1:${port}`,
    app,
    logLines,
    mintToken,
    connect: (claims = {}) => TestClient.connect(url, claims === false ? undefined : mintToken(claims), violations),
    [Symbol.asyncDispose]: async () => {
      await server.close();
      if (violations.length > 0) throw new ContractViolation(violations.map(({ message }) => message).join('\n'));
    },
  };
}

function collect(lines: Record<string, unknown>[]): PassThrough {
  const output = new PassThrough();
  output.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString().trim().split('\n')) lines.push(JSON.parse(line) as Record<string, unknown>);
  });
  return output;
}
