import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ownAddress } from '../../../config/own-address.js';
import { isAlive } from '../../../src/health/probe.js';
import { CertificateFolder, makeCertificate } from '../../support/certificates.js';
import { freePort } from '../../support/free-port.js';
import { startTestServer } from '../../support/test-server.js';

const LONG_MS = 10_000;

describe('the probe of a container', () => {
  it.each([
    [{}, { host: '127.0.0.1', port: 8080, isEncrypted: false }],
    [
      { PORT: ' 9000 ', HOST: '' },
      { host: '127.0.0.1', port: 9000, isEncrypted: false },
    ],
    [{ HOST: '0.0.0.0' }, { host: '127.0.0.1', port: 8080, isEncrypted: false }],
    [{ HOST: '::' }, { host: '127.0.0.1', port: 8080, isEncrypted: false }],
    [
      { HOST: '10.0.0.5', TLS_CERT_FILE: 'a.crt' },
      { host: '10.0.0.5', port: 8080, isEncrypted: true },
    ],
  ])('with the settings %o asks at %o', (environment, address) => {
    expect(ownAddress(environment)).toEqual(address);
  });

  it('is content with a server that answers /health', async () => {
    await using server = await startTestServer();
    expect(await isAlive({ host: '127.0.0.1', port: server.port, isEncrypted: false }, LONG_MS)).toBe(true);
  });

  it('is content with one that speaks TLS by a certificate of another name', async () => {
    using folder = new CertificateFolder(await makeCertificate());
    await using server = await startTestServer(folder.environment);
    expect(await isAlive({ host: '127.0.0.1', port: server.port, isEncrypted: true }, LONG_MS)).toBe(true);
    expect(await isAlive({ host: '127.0.0.1', port: server.port, isEncrypted: false }, LONG_MS)).toBe(false);
  });

  it('is not where nobody listens, where it is told something else, or where nothing comes in time', async () => {
    const address = { host: '127.0.0.1', isEncrypted: false };
    expect(await isAlive({ ...address, port: await freePort() }, LONG_MS)).toBe(false);
    const server = createServer(({ url }, response) => {
      if (url === '/health') response.writeHead(503).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect(await isAlive({ ...address, port }, LONG_MS)).toBe(false);
    server.removeAllListeners('request');
    expect(await isAlive({ ...address, port }, 50)).toBe(false);
    server.closeAllConnections();
    server.close();
  });
});
