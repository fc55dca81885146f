import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { warningsOf } from '../../../config/environment.js';
import { loadSettings, type Environment } from '../../../config/settings.js';
import { UnusableSettings } from '../../../config/unusable-settings.js';
import { CertificateFolder, makeCertificate, type TestCertificate } from '../../support/certificates.js';

const WITH_KEY: Environment = { NODE_ENV: 'test', JWT_SECRET: 'a-secret-of-tests-with-enough-characters' };

let good: TestCertificate;
let other: TestCertificate;
let locked: TestCertificate;
beforeAll(async () => {
  [good, other, locked] = await Promise.all([
    makeCertificate(),
    makeCertificate(),
    makeCertificate({ passphrase: 'open sesame' }),
  ]);
});

function faultsOf(environment: Environment): readonly string[] {
  try {
    loadSettings({ ...WITH_KEY, ...environment });
  } catch (error) {
    if (error instanceof UnusableSettings) return error.faults;
    throw error;
  }
  return [];
}

describe('settings of TLS that cannot be used', () => {
  it('are one file without the other', () => {
    using files = new CertificateFolder(good);
    const { TLS_CERT_FILE, TLS_KEY_FILE } = files.environment;
    expect(faultsOf({ TLS_CERT_FILE })).toEqual(['TLS_KEY_FILE must be set if TLS_CERT_FILE is set']);
    expect(faultsOf({ TLS_KEY_FILE })).toEqual(['TLS_CERT_FILE must be set if TLS_KEY_FILE is set']);
    expect(faultsOf({ TLS_CERT_FILE, TLS_KEY_FILE })).toEqual([]);
  });

  it('are named with the file and what is wrong with it, next to every other fault', () => {
    using files = new CertificateFolder(good);
    const { TLS_CERT_FILE, TLS_KEY_FILE } = files.environment;
    const absent = join(files.path, 'absent.pem');
    const named = (environment: Environment): readonly string[] => faultsOf({ ...files.environment, ...environment });
    expect(named({ TLS_CERT_FILE: absent, PORT: 'x' })).toEqual([
      expect.stringContaining('PORT'),
      `TLS_CERT_FILE: ${absent} cannot be read (ENOENT)`,
    ]);
    expect(named({ TLS_KEY_FILE: files.path })).toEqual([`TLS_KEY_FILE: ${files.path} cannot be read (EISDIR)`]);
    expect(named({ TLS_CERT_FILE: TLS_KEY_FILE })).toEqual([
      `TLS_CERT_FILE: ${TLS_KEY_FILE} holds no certificate in PEM form`,
    ]);
    expect(named({ TLS_KEY_FILE: TLS_CERT_FILE })).toEqual([
      `TLS_KEY_FILE: ${TLS_CERT_FILE} holds no private key in PEM form`,
    ]);
    expect(named({ TLS_MIN_VERSION: 'TLSv1.1' })).toEqual([expect.stringContaining('TLS_MIN_VERSION must be one of')]);
  });

  it('are a key that does not fit, and a passphrase that is missing or wrong', () => {
    using mixed = new CertificateFolder({ cert: good.cert, key: other.key });
    expect(faultsOf(mixed.environment)).toEqual([
      expect.stringMatching(/^TLS_KEY_FILE: .*tls\.key is not the key of the first certificate in .*tls\.crt$/),
    ]);
    using encrypted = new CertificateFolder(locked);
    expect(faultsOf(encrypted.environment)).toEqual([
      expect.stringMatching(/^TLS_KEY_FILE: .* is encrypted, so TLS_KEY_PASSPHRASE must be set$/),
    ]);
    const wrong = faultsOf({ ...encrypted.environment, TLS_KEY_PASSPHRASE: 'hunter2' });
    expect(wrong).toEqual([expect.stringMatching(/holds no private key that TLS_KEY_PASSPHRASE opens$/)]);
    expect(wrong.join()).not.toContain('hunter2');
    expect(faultsOf({ ...encrypted.environment, TLS_KEY_PASSPHRASE: 'open sesame' })).toEqual([]);
  });

  it('are some that nobody could connect with', () => {
    expect(faultsOf({ REQUIRE_TLS: 'on' })).toEqual([
      'REQUIRE_TLS is on: TLS_CERT_FILE or TRUST_PROXY must be set, otherwise no client can connect',
    ]);
    expect(faultsOf({ REQUIRE_TLS: 'on', TRUST_PROXY: '1' })).toEqual([]);
    expect(faultsOf({ INTERNAL_PORT: '9090', INTERNAL_TLS: 'on' })).toHaveLength(1);
    expect(faultsOf({ INTERNAL_PORT: '8080' })).toEqual(['INTERNAL_PORT must differ from PORT']);
    expect(faultsOf({ METRICS_TOKEN: 'short' })).toEqual([
      expect.stringMatching(/^METRICS_TOKEN must be 16 or more .*\(not shown\)$/),
    ]);
  });
});

describe('a start says', () => {
  const warnings = (environment: Environment): string[] => {
    const all = { ...WITH_KEY, ...environment };
    return warningsOf(loadSettings(all), all);
  };

  it('that /metrics is off in production, unless that was chosen', () => {
    expect(warnings({ NODE_ENV: 'production' })).toEqual([
      expect.stringMatching(/^\/metrics is off. To turn it on, set METRICS_TOKEN/),
    ]);
    expect(warnings({ NODE_ENV: 'production', METRICS_ENABLED: 'off' })).toEqual([]);
    expect(warnings({ NODE_ENV: 'production', METRICS_TOKEN: 'a-token-for-prometheus' })).toEqual([]);
    expect(warnings({ NODE_ENV: 'production', INTERNAL_PORT: '9090' })).toEqual([]);
    expect(warnings({})).toEqual([]);
  });

  it('that REQUIRE_TLS keeps callers of the API from a plain INTERNAL_PORT', () => {
    const plain = { REQUIRE_TLS: 'on', TRUST_PROXY: '1', INTERNAL_PORT: '9090' };
    expect(warnings(plain)).toEqual([expect.stringContaining('INTERNAL_TLS')]);
    expect(warnings({ ...plain, API_ENABLED: 'off' })).toEqual([]);
  });
});
