import { EventEmitter } from 'node:events';

/** Why TLS failed with a client. */
export const TLS_FAILURES = [
  'plain_http',
  'version',
  'no_shared_cipher',
  'certificate_rejected',
  'timeout',
  'hung_up',
  'other',
] as const;
export type TlsFailure = (typeof TLS_FAILURES)[number];

/** Why an HTTP request was refused before it reached a handler. */
export const HTTP_REFUSALS = ['tls_required', 'metrics_token', 'body'] as const;
export type HttpRefusal = (typeof HTTP_REFUSALS)[number];

interface TransportEventMap {
  /** A TLS handshake failed, or a TLS connection broke. */
  tlsFailed: [reason: TlsFailure, address: string];
  /** The files have another certificate, and new connections get it. */
  reloaded: [expiresAt: number];
  /** The files cannot be used; the certificate in use stays. Emitted once for the same content. */
  reloadRefused: [reason: string];
  /** The certificate in use expires soon, or has expired. Emitted at most once a day. */
  expiring: [expiresAt: number];
  refused: [reason: HttpRefusal];
  /** Code outside of Nest's handlers threw. */
  crashed: [exception: unknown];
}

/** Events of the ports, for observers. Listeners must not throw. */
export class TransportEvents extends EventEmitter<TransportEventMap> {}
