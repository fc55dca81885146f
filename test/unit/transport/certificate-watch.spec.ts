import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readCertificate } from '../../../config/certificate.js';
import { loadSettings } from '../../../config/settings.js';
import { CertificateWatch } from '../../../src/transport/certificate-watch.js';
import { TransportEvents } from '../../../src/transport/transport-events.js';
import { CertificateFolder, makeCertificate } from '../../support/certificates.js';

const DAY_MS = 86_400_000;

describe('the watch over a certificate', () => {
  it('warns once a day from thirty days before its end, and of the next one anew', async () => {
    using files = new CertificateFolder(await makeCertificate({ days: 100 }));
    const secret = 'a-secret-of-tests-with-enough-characters';
    const settings = loadSettings({ NODE_ENV: 'test', JWT_SECRET: secret, ...files.environment });
    const events = new TransportEvents();
    const warned: number[] = [];
    events.on('expiring', (expiresAt) => warned.push(expiresAt));
    const watch = new CertificateWatch(settings, events);
    const certificate = readCertificate(settings.tls);
    if (certificate === undefined) throw new Error('no certificate');
    watch.start(certificate, []);
    const end = certificate.expiresAt;

    const counts: number[] = [];
    for (const days of [31, 30.1, 29.9, 29.5, 28.95, 28.85, 1, 0, -1]) {
      await watch.look(end - days * DAY_MS);
      counts.push(warned.length);
    }
    expect(counts).toEqual([0, 0, 1, 1, 1, 2, 3, 4, 5]);

    const next = await makeCertificate({ days: 110 });
    files.write(next);
    await watch.look(end - 2 * DAY_MS);
    expect(watch.expiresAt).toBe(Date.parse(new X509Certificate(next.cert).validTo));
    expect(warned).toHaveLength(6);
    watch.onApplicationShutdown();
  });
});
