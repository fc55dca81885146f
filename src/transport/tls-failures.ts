import type { Server } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { TlsFailure, TransportEvents } from './transport-events.js';

/** OpenSSL has hundreds of codes: those that say what to do have a name, the rest is one. */
const FAILURES = new Map<string, TlsFailure>([
  ['ERR_SSL_HTTP_REQUEST', 'plain_http'],
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'version'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'version'],
  ['ERR_SSL_VERSION_TOO_LOW', 'version'],
  ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'version'],
  ['ERR_SSL_NO_SHARED_CIPHER', 'no_shared_cipher'],
  ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'certificate_rejected'],
  ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'certificate_rejected'],
  ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', 'certificate_rejected'],
  ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN', 'certificate_rejected'],
  ['ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE', 'certificate_rejected'],
  ['ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED', 'certificate_rejected'],
  ['ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN', 'certificate_rejected'],
  ['ERR_TLS_HANDSHAKE_TIMEOUT', 'timeout'],
  ['ECONNRESET', 'hung_up'],
  ['EPIPE', 'hung_up'],
]);

function tlsFailureOf({ code }: NodeJS.ErrnoException): TlsFailure {
  return FAILURES.get(code ?? '') ?? 'other';
}

/** Tells of each client that TLS failed with, before there was anything else between it and the server. */
export function watchTlsFailures(server: Server, events: TransportEvents): void {
  server.on('tlsClientError', (error: NodeJS.ErrnoException, { remoteAddress = '' }: TLSSocket) => {
    events.emit('tlsFailed', tlsFailureOf(error), remoteAddress);
  });
}
