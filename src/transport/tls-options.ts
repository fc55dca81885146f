import { constants } from 'node:crypto';
import type { TlsOptions } from 'node:tls';
import type { Certificate } from '../../config/certificate.js';
import type { Settings } from '../../config/settings.js';

/** From the TCP connection to the end of the handshake. Node's own default is two minutes. */
const HANDSHAKE_MS = 10_000;

/**
 * Mozilla's intermediate configuration: only forward secrecy and authenticated encryption. Every client of the last ten
 * years supports one of them. https://wiki.mozilla.org/Security/Server_Side_TLS
 */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** For a new server, and again for its new certificate. */
export function tlsOptions({ minVersion }: Settings['tls'], { cert, key, passphrase }: Certificate): TlsOptions {
  return {
    cert,
    key,
    ...(passphrase !== undefined && { passphrase }),
    minVersion,
    ciphers: CIPHERS,
    honorCipherOrder: true,
    // Renegotiation costs the server more than the client. TLS 1.3 does not have it.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: HANDSHAKE_MS,
  };
}
