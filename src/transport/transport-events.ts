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

/** Why an HTTP request was turned away before it came to a handler. */
export const HTTP_REFUSALS = ['tls_required', 'metrics_token', 'body'] as const;
export type HttpRefusal = (typeof HTTP_REFUSALS)[number];

interface TransportEventMap {
  /** A TLS handshake came to nothing, or a TLS connection broke. */
  tlsFailed: [reason: TlsFailure, address: string];
  /** The files hold another certificate, and new connections get it. */
  reloaded: [expiresAt: number];
  /** The files hold something that cannot be used; the certificate in use stays. Told once for the same contents. */
  reloadRefused: [reason: string];
  /** The certificate in use ends soon, or has ended. Told at most once a day. */
  expiring: [expiresAt: number];
  refused: [reason: HttpRefusal];
  /** Something outside of Nest's handlers threw. */
  crashed: [exception: unknown];
}

/** What happens at the doors, for observers. Listeners must not throw. */
export class TransportEvents extends EventEmitter<TransportEventMap> {}
