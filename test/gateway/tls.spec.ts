import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import { NodeRegistry } from '../../src/cluster/ports/node-registry.js';
import { CertificateFolder, makeCertificate, MountedSecret, type TestCertificate } from '../support/certificates.js';
import { eventually } from '../support/eventually.js';
import { ask } from '../support/http-client.js';
import { RawClient } from '../support/raw-client.js';
import { StoppedClock } from '../support/stopped-clock.js';
import { connect } from '../support/test-client.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

let first: TestCertificate;
let second: TestCertificate;
let old: TestCertificate;
let expired: TestCertificate;
beforeAll(async () => {
  [first, second, old, expired] = await Promise.all([
    makeCertificate(),
    makeCertificate(),
    makeCertificate({ days: 10 }),
    makeCertificate({ days: -2 }),
  ]);
});

const OFTEN = { TLS_RELOAD_INTERVAL_MS: '20' };

/** A handshake, which fails as a rejection. */
async function handshake({ port }: TestServer, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connectTls({ port, host: '127.0.0.1', ...options });
  await once(socket, 'secureConnect');
  return socket;
}

/** Whether new connections are given a certificate, which is its own root. */
async function serves(server: TestServer, { cert }: TestCertificate): Promise<boolean> {
  const socket = await handshake(server, { ca: cert }).catch(() => undefined);
  socket?.destroy();
  return socket !== undefined;
}

const scrape = async (server: TestServer, ca: string): Promise<string> =>
  (await ask(`${server.http}/metrics`, { ca })).body;

function linesOf({ logLines }: TestServer, message: string): Record<string, unknown>[] {
  return logLines.filter(({ msg }) => msg === message);
}

describe('TLS in the process', () => {
  it('carries sessions, large messages and all that HTTP answers, by TLS 1.3 where the client speaks it', async () => {
    using files = new CertificateFolder(first);
    using clock = new StoppedClock();
    await using server = await startTestServer({ ...files.environment, UPGRADE_TIMEOUT_MS: '60000' });
    const ca = first.cert;
    expect(server.url).toMatch(/^wss:/);
    await using client = await connect(server.url, { ca });
    const data = 'x'.repeat(1_000_000);
    expect(await client.request('echo', data)).toMatchObject({ type: 'echo_reply', data });

    const socket = await handshake(server, { ca, ALPNProtocols: ['h2', 'http/1.1'] });
    expect(socket.getProtocol()).toBe('TLSv1.3');
    expect(socket.alpnProtocol).toBe('http/1.1');
    // What is no session has to send its request in time.
    socket.resume();
    const flow = setInterval(() => clock.pass(1_000), 5);
    await once(socket, 'close').finally(() => clearInterval(flow));
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });

    const health = await ask(`${server.http}/health`, { ca });
    expect(health).toMatchObject({ status: 200, headers: { 'strict-transport-security': 'max-age=31536000' } });
    const { nodes } = server.app.get(NodeRegistry, { strict: false });
    expect(nodes.map(({ url }) => url)).toEqual([server.url]);
  });

  it('refuses TLS 1.1, ciphers without forward secrecy, and plain HTTP, and counts them', async () => {
    using files = new CertificateFolder(first);
    await using server = await startTestServer(files.environment);
    const ca = first.cert;
    const anyLevel = 'ALL:@SECLEVEL=0';
    const before = await scrape(server, ca);
    await expect(
      handshake(server, { ca, maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: anyLevel }),
    ).rejects.toThrow(/version|protocol/i);
    const weak = { ca, maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' } as const;
    await expect(handshake(server, weak)).rejects.toThrow(/handshake failure/);
    await using plain = await RawClient.upgrade(server.port);
    await plain.closed();
    const grew = async (reason: string): Promise<number> => {
      const series = `websocket_tls_errors_total{reason="${reason}"}`;
      const [now, then] = [await scrape(server, ca), before].map((text) =>
        Number(new RegExp(`^${series} (\\d+)$`, 'm').exec(text)?.[1] ?? 0),
      );
      return (now ?? 0) - (then ?? 0);
    };
    await expect.poll(() => grew('version')).toBe(1);
    expect(await grew('no_shared_cipher')).toBe(1);
    expect(await grew('plain_http')).toBe(1);
    expect(linesOf(server, 'TLS handshake failed')).toHaveLength(3);
  });

  it('speaks nothing older than TLS_MIN_VERSION, and renegotiates nothing', async () => {
    using files = new CertificateFolder(first);
    const ca = first.cert;
    await using server = await startTestServer(files.environment);
    const socket = await handshake(server, { ca, maxVersion: 'TLSv1.2' });
    expect(socket.getProtocol()).toBe('TLSv1.2');
    const failed = once(socket, 'error');
    socket.renegotiate({}, () => {});
    expect(await failed).toMatchObject([{ code: 'ERR_SSL_NO_RENEGOTIATION' }]);
    socket.destroy();

    await using strict = await startTestServer({ ...files.environment, TLS_MIN_VERSION: 'TLSv1.3' });
    await expect(handshake(strict, { ca, maxVersion: 'TLSv1.2' })).rejects.toThrow(/version/i);
    expect(await serves(strict, first)).toBe(true);
  });

  it('opens an encrypted key with its passphrase', async () => {
    using files = new CertificateFolder(await makeCertificate({ passphrase: 'open sesame' }));
    await using server = await startTestServer({ ...files.environment, TLS_KEY_PASSPHRASE: 'open sesame' });
    await using client = await connect(server.url, { rejectUnauthorized: false });
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
  });

  it('tells browsers nothing of the future where HSTS_MAX_AGE_SECONDS is 0', async () => {
    using files = new CertificateFolder(first);
    await using server = await startTestServer({ ...files.environment, HSTS_MAX_AGE_SECONDS: '0' });
    const { headers } = await ask(`${server.http}/health`, { ca: first.cert });
    expect(headers).not.toHaveProperty('strict-transport-security');
  });
});

describe('a new certificate', () => {
  it.each([
    ['written over the old one', (certificate: TestCertificate) => new CertificateFolder(certificate)],
    ['swapped in as Kubernetes does', (certificate: TestCertificate) => new MountedSecret(certificate)],
  ])('%s is given to new connections, and open ones go on', async (_how, make) => {
    using files = make(first);
    await using server = await startTestServer({ ...files.environment, ...OFTEN });
    await using client = await connect(server.url, { ca: first.cert });
    expect(await serves(server, second)).toBe(false);
    if (files instanceof MountedSecret) files.mount(second);
    else files.write(second);
    await eventually('the new one is served', () => serves(server, second));
    expect(await serves(server, first)).toBe(false);
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
    await using late = await connect(server.url, { ca: second.cert });
    expect(await late.request('echo', 2)).toMatchObject({ data: 2 });
    expect(linesOf(server, 'certificate reloaded')).toHaveLength(1);
    expect(await scrape(server, second.cert)).toMatch(/^gatehouse_tls_reloads_total\{result="loaded"\} [1-9]/m);
  });

  it('that cannot be used is refused with one line, and taken once it can be', async () => {
    using files = new CertificateFolder(first);
    await using server = await startTestServer({ ...files.environment, ...OFTEN });
    const refused = (): unknown[] =>
      linesOf(server, 'cannot reload the TLS certificate; the current one stays in use').map(({ reason }) => reason);
    const misfits: [string, () => void][] = [
      ['is not the key of the first certificate', () => writeFileSync(files.environment.TLS_KEY_FILE, second.key)],
      [
        'holds no certificate in PEM form',
        () => writeFileSync(files.environment.TLS_CERT_FILE, second.cert.slice(0, 200)),
      ],
      ['cannot be read (ENOENT)', () => rmSync(files.environment.TLS_KEY_FILE)],
      ['has expired, unlike the certificate in use', () => files.write(expired)],
    ];
    for (const [index, [reason, spoil]] of misfits.entries()) {
      spoil();
      await eventually(`it says that it ${reason}`, () => refused().length > index);
      expect(refused()[index]).toContain(reason);
      expect(await serves(server, first)).toBe(true);
    }
    expect(refused()).toHaveLength(misfits.length);
    expect(JSON.stringify(refused())).not.toContain('BEGIN');
    files.write(second);
    await eventually('the new one is served', () => serves(server, second));
  });

  it('is not looked for where TLS_RELOAD_INTERVAL_MS is 0', async () => {
    using files = new CertificateFolder(first);
    await using server = await startTestServer({ ...files.environment, TLS_RELOAD_INTERVAL_MS: '0' });
    files.write(second);
    await using client = await connect(server.url, { ca: first.cert });
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
    expect(await serves(server, first)).toBe(true);
  });
});

describe('the end of a certificate', () => {
  it('is a metric, and is warned of thirty days ahead', async () => {
    using files = new CertificateFolder(old);
    await using server = await startTestServer(files.environment);
    const [, seconds = ''] =
      /^gatehouse_tls_certificate_expiry_timestamp_seconds (\S+)$/m.exec(await scrape(server, old.cert)) ?? [];
    const days = (Number(seconds) - Date.now() / 1_000) / 86_400;
    expect(days).toBeGreaterThan(10);
    expect(days).toBeLessThan(11);
    expect(linesOf(server, 'the TLS certificate expires soon')).toMatchObject([{ level: 'warn', days: 10 }]);
    expect((await ask(`${server.http}/ready`, { ca: old.cert })).status).toBe(200);
  });

  it('does not keep a server from starting, which says so', async () => {
    using files = new CertificateFolder(expired);
    await using server = await startTestServer(files.environment);
    expect(linesOf(server, 'the TLS certificate has expired')).toHaveLength(1);
    await using client = await connect(server.url, { rejectUnauthorized: false });
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
  });

  it('that is far away is spoken of by nobody', async () => {
    using files = new CertificateFolder(first);
    await using server = await startTestServer(files.environment);
    expect(server.logLines.filter(({ level }) => level === 'warn')).toEqual([]);
  });
});
