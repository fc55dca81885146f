import { describe, expect, it } from 'vitest';
import { loadSettings } from '../../config/settings.js';
import { operatorsUrl, startBanner } from '../../src/start-banner.js';
import { TEST_ENVIRONMENT } from '../support/test-server.js';

const bannerOf = (environment: Record<string, string>): string =>
  startBanner(loadSettings({ ...TEST_ENVIRONMENT, ...environment }), 8_080);

describe('the banner of the start', () => {
  it('says where the server is, what is on, and what the terminal does not show', () => {
    const banner = bannerOf({ NODE_ENV: 'development' });
    expect(banner).toMatch(/^\nGatehouse \d+\.\d+\.\d+\n\n {2}Address {2}ws:\/\/127\.0\.0\.1:8080\/ws\n/);
    expect(banner).toContain('  HTTP     http://127.0.0.1:8080 /api /console /docs /contract /metrics\n');
    expect(banner).toMatch(/ {2}On {7}AUTH_MODE=required, channels [\w ]+, one node, in memory\n/);
    expect(banner).toContain('audit not shown on a terminal (set AUDIT_LOG=on or AUDIT_FILE)\n');
  });

  it('names Redis, tracing and encrypted payloads if they are on', () => {
    const banner = bannerOf({
      REDIS_URL: 'redis://127.0.0.1:6379',
      OTEL_TRACES_EXPORTER: 'otlp',
      ENCRYPTION_KEYS: Buffer.alloc(32).toString('base64'),
    });
    expect(banner).toMatch(/Redis, tracing, encrypted payloads\n/);
  });

  it('leaves out the HTTP side if all of it is off, and says where the audit is', () => {
    const off = { API_ENABLED: 'off', CONSOLE_ENABLED: 'off', API_DOCS: 'off', METRICS_ENABLED: 'off' };
    expect(bannerOf(off)).not.toContain('  HTTP ');
    expect(bannerOf({ AUDIT_FILE: '/var/log/audit.log' })).toContain('audit in /var/log/audit.log');
    expect(bannerOf({ AUDIT_LOG: 'off' })).toContain(', no audit\n');
    expect(bannerOf({ AUDIT_LOG: 'on' })).toMatch(/LOG_LEVEL=\w+\n$/);
  });

  it('sends operators to the internal port if there is one', () => {
    const settings = loadSettings({ ...TEST_ENVIRONMENT, INTERNAL_PORT: '9090' });
    expect(operatorsUrl(settings, 8_080)).toBe('http://127.0.0.1:9090');
  });
});
