import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { DEFINITIONS } from '../../../config/definitions.js';
import { loadSettings, type Environment } from '../../../config/settings.js';
import { UnusableSettings } from '../../../config/unusable-settings.js';

const PUBLIC_KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .publicKey.export({ type: 'spki', format: 'pem' })
  .toString()
  .replaceAll('\n', '\\n');

const WITH_KEY: Environment = { NODE_ENV: 'test', JWT_SECRET: 'a-secret-of-tests-with-enough-characters' };

function faultsOf(environment: Environment): readonly string[] {
  try {
    loadSettings(environment);
  } catch (error) {
    if (error instanceof UnusableSettings) return error.faults;
    throw error;
  }
  return [];
}

describe('settings', () => {
  it('are the documented defaults where nothing is set', () => {
    const { server, authentication, connections, messages, heartbeat, outbound, lifecycle } = loadSettings(WITH_KEY);
    expect(server).toMatchObject({ port: 8080, host: undefined, wsPath: '/ws', allowedOrigins: [] });
    expect(server.trustProxy).toBeUndefined();
    expect(authentication).toMatchObject({ mode: 'required', refusal: 'close', broadcastRoles: [] });
    expect(connections).toMatchObject({ ratePerIp: 10, banDurationMs: 60_000 });
    expect(messages).toMatchObject({ maxBytes: 10_485_760, rate: 100, burst: 200, rateLimitMode: 'reject' });
    expect(heartbeat).toEqual({ intervalMs: 25_000, timeoutMs: 10_000, readRate: 32_768 });
    expect(outbound.queueBytes).toBe(1_048_576);
    expect(lifecycle).toEqual({ drainTimeoutMs: 20_000, reconnectWindowMs: 5_000 });
  });

  it('give every node a name of its own', () => {
    const names = [loadSettings(WITH_KEY), loadSettings(WITH_KEY)].map(({ server }) => server.serverId);
    expect(names[0]).toMatch(/^[\w.-]{1,64}$/);
    expect(names[0]).not.toBe(names[1]);
    expect(loadSettings({ ...WITH_KEY, SERVER_ID: 'node-7' }).server.serverId).toBe('node-7');
  });

  it('count an empty or blank value as unset', () => {
    const settings = loadSettings({ ...WITH_KEY, PORT: '', HOST: '  ', WS_PATH: '', ALLOWED_ORIGINS: '' });
    expect(settings.server).toMatchObject({ port: 8080, host: undefined, wsPath: '/ws', allowedOrigins: [] });
  });

  it('read a list without its blanks and empty entries', () => {
    const { server } = loadSettings({ ...WITH_KEY, ALLOWED_ORIGINS: ' https://a.example , ,https://b.example,' });
    expect(server.allowedOrigins).toEqual(['https://a.example', 'https://b.example']);
  });

  it('are frozen to the last list', () => {
    const settings = loadSettings({ ...WITH_KEY, ALLOWED_ORIGINS: 'https://a.example', TRUST_PROXY: '10.0.0.0/8' });
    const { server, messages } = settings;
    const parts = [settings, server, server.allowedOrigins, server.trustProxy, messages];
    expect(parts.filter((part) => !Object.isFrozen(part))).toEqual([]);
  });

  it('take zero for every limit that can be switched off', () => {
    const off = Object.values(DEFINITIONS)
      .flatMap((group) => Object.values(group))
      .filter(({ effect }) => / 0 = /.test(effect))
      .map(({ env }) => env);
    expect(off.length).toBeGreaterThan(10);
    expect(faultsOf({ ...WITH_KEY, ...Object.fromEntries(off.map((env) => [env, '0'])) })).toEqual([]);
  });
});

describe('settings that cannot be used', () => {
  it('are all named in one error, with what they must be and what they are', () => {
    const environment = { PORT: '70000', AUTH_MODE: 'maybe', WS_PATH: 'ws', MESSAGE_RATE: '-1', LOG_LEVEL: 'loud' };
    const faults = faultsOf({ ...WITH_KEY, ...environment });
    expect(faults.map((fault) => fault.split(' ')[0])).toEqual(
      expect.arrayContaining(['PORT', 'AUTH_MODE', 'WS_PATH', 'MESSAGE_RATE', 'LOG_LEVEL']),
    );
    expect(faults).toHaveLength(5);
    expect(faults).toContain('PORT must be a whole number from 0 to 65535; it is "70000"');
    expect(new UnusableSettings(faults).message).toContain('5 settings cannot be used\n  - ');
  });

  it.each(['1e3', '0x10', ' 1 2 ', '1.5', '-0', '9007199254740993', 'NaN'])('%j is no whole number', (text) => {
    expect(faultsOf({ ...WITH_KEY, MESSAGE_RATE: text })).toHaveLength(1);
  });

  it('do not let a timer overflow, which would fire at once', () => {
    expect(faultsOf({ ...WITH_KEY, HEARTBEAT_INTERVAL_MS: '2147483648' })).toHaveLength(1);
  });

  it('never show what may be a secret', () => {
    const [fault] = faultsOf({ NODE_ENV: 'test', JWT_PUBLIC_KEY: 'hunter2-is-my-shared-secret' });
    expect(fault).toMatch(/^JWT_PUBLIC_KEY must be a PEM .*\(not shown\)$/);
    expect(fault).not.toContain('hunter2');
  });

  it('include a missing key in production, next to every other fault', () => {
    const faults = faultsOf({ NODE_ENV: 'production', PORT: 'http' });
    expect(faults).toHaveLength(2);
    expect(faults[1]).toMatch(/^JWT_SECRET, JWT_PUBLIC_KEY or JWT_JWKS_URL must be set in production/);
  });

  it('do not call a mistyped key missing as well', () => {
    expect(faultsOf({ NODE_ENV: 'production', JWT_JWKS_URL: 'issuer.example/keys' })).toHaveLength(1);
  });
});

describe('production', () => {
  it.each<[string, Environment]>([
    ['a shared secret', { JWT_SECRET: 'a-secret-of-tests-with-enough-characters' }],
    ['a key set to fetch', { JWT_JWKS_URL: 'https://issuer.example/keys' }],
    ['a public key', { JWT_PUBLIC_KEY: PUBLIC_KEY }],
    ['no tokens at all', { AUTH_MODE: 'off' }],
  ])('starts with %s', (_name, environment) => {
    const settings = loadSettings({ NODE_ENV: 'production', ...environment });
    expect(settings.madeDevelopmentSecret).toBe(false);
  });

  it('does not start without a key where tokens are optional', () => {
    expect(faultsOf({ NODE_ENV: 'production', AUTH_MODE: 'optional' })).toHaveLength(1);
  });
});

describe('TRUST_PROXY', () => {
  it.each([
    ['', undefined],
    ['0', undefined],
    ['1', 1],
    ['12', 12],
    ['10.0.0.1', ['10.0.0.1']],
    ['10.0.0.0/8, 2001:db8::/32', ['10.0.0.0/8', '2001:db8::/32']],
    ['loopback,uniquelocal', ['loopback', 'uniquelocal']],
  ])('%j is read as %j', (text, expected) => {
    expect(loadSettings({ ...WITH_KEY, TRUST_PROXY: text }).server.trustProxy).toEqual(expected);
  });

  it.each(['true', '-1', '10.0.0.0/33', '2001:db8::/129', '10.0.0.1/', '10.0.0', 'proxy.example', '10.0.0.1,'])(
    '%j is refused',
    (text) => {
      expect(faultsOf({ ...WITH_KEY, TRUST_PROXY: text })).toHaveLength(1);
    },
  );
});

describe('allowed origins', () => {
  it.each(['https://app.example.com', 'http://localhost:5173', '*', 'null', 'https://a.example, https://b.example'])(
    'may be %s',
    (ALLOWED_ORIGINS) => {
      expect(() => loadSettings({ NODE_ENV: 'test', ALLOWED_ORIGINS })).not.toThrow();
    },
  );

  it.each(['app.example.com', 'https://app.example.com/path', 'https://*.example.com', 'https://a.example, b'])(
    'that no browser sends are refused: %s',
    (ALLOWED_ORIGINS) => {
      expect(() => loadSettings({ NODE_ENV: 'test', ALLOWED_ORIGINS })).toThrow(/ALLOWED_ORIGINS must be origins/);
    },
  );
});

describe('the file of namespaces', () => {
  it('is named beside every other fault', () => {
    const environment = { NODE_ENV: 'test', PORT: 'x', CHANNELS_FILE: '/no/such/file.yaml' };
    expect(() => loadSettings(environment)).toThrow(/2 settings cannot be used[^]*PORT[^]*CHANNELS_FILE/);
  });
});

describe('heap snapshots', () => {
  it('need a folder that can be written in', () => {
    const percent = { ...WITH_KEY, HEAP_SNAPSHOT_PERCENT: '80' };
    expect(faultsOf(percent)).toEqual(['HEAP_SNAPSHOT_PERCENT is set: DIAGNOSTICS_DIR must be set too']);
    expect(faultsOf({ ...percent, DIAGNOSTICS_DIR: '/no/such/folder' })).toEqual([
      'DIAGNOSTICS_DIR must name a folder that exists; it is "/no/such/folder"',
    ]);
    expect(faultsOf({ ...percent, DIAGNOSTICS_DIR: 'package.json' })).toEqual([
      'DIAGNOSTICS_DIR must name a folder; it is "package.json"',
    ]);
    expect(faultsOf({ ...percent, DIAGNOSTICS_DIR: '.' })).toEqual([]);
  });

  it('are handed out in production only where that is asked for', () => {
    const handedOut = (environment: Environment) =>
      loadSettings({ ...WITH_KEY, ...environment }).diagnostics.heapSnapshots;
    expect(handedOut({})).toBe('on');
    expect(handedOut({ NODE_ENV: 'production' })).toBe('off');
    expect(handedOut({ NODE_ENV: 'production', HEAP_SNAPSHOTS: 'on' })).toBe('on');
  });
});
