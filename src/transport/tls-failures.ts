import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { TlsFailure, TransportEvents } from './transport-events.js';

/** OpenSSL has hundreds of codes. Those that suggest an action have a name; all others share one. */
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

interface Observers {
  readonly events: TransportEvents;
  /** Whether this server ended the TCP connection itself, and has reported it. */
  readonly wasCut: (tcp: Socket) => boolean;
}

/** Reports each client whose TLS handshake failed. */
export function watchTlsFailures(server: Server, { events, wasCut }: Observers): void {
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    const tcp = tcpBelow(socket);
    if (tcp !== undefined && wasCut(tcp)) return;
    // A closed TLS socket no longer knows its address.
    events.emit('tlsFailed', tlsFailureOf(error), socket.remoteAddress ?? tcp?.remoteAddress ?? '');
  });
}

/** A private field of Node, as in socket/traffic.ts. */
function tcpBelow(socket: TLSSocket): Socket | undefined {
  return Reflect.get(socket, '_parent') as Socket | undefined;
}
