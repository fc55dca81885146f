import type { Provider } from '@nestjs/common';
import { getToken, makeCounterProvider } from '@willsoto/nestjs-prometheus';
import { CertificateWatch } from '../../transport/certificate-watch.js';
import { HTTP_REFUSALS, TLS_FAILURES } from '../../transport/transport-events.js';
import { countersFor } from './event-metric.js';
import { METRIC } from './metrics.js';
import { pulledGauge } from './pulled-metric.js';

/** TLS, HTTP before it reaches a handler, and the responses of the server API. */
export const transportMetrics: Provider[] = [
  countersFor(
    {
      name: METRIC.httpRefused,
      help: 'HTTP requests refused before they reached a handler, by reason',
      label: 'reason',
    },
    HTTP_REFUSALS,
  ),
  countersFor({ name: METRIC.tlsErrors, help: 'TLS handshakes that failed, by reason', label: 'reason' }, TLS_FAILURES),
  countersFor(
    {
      name: METRIC.tlsReloads,
      help: 'Certificates reloaded from changed files, or refused',
      label: 'result',
    },
    ['loaded', 'refused'],
  ),
  makeCounterProvider({
    registers: [],
    name: METRIC.apiRequests,
    help: 'Requests to the server API, by endpoint and status',
    labelNames: ['route', 'status'],
  }),
  {
    provide: getToken(METRIC.tlsExpiry),
    inject: [CertificateWatch],
    useFactory: (watch: CertificateWatch) =>
      pulledGauge(METRIC.tlsExpiry, 'Expiry of the certificate in use; absent without TLS', () =>
        watch.expiresAt === undefined ? undefined : watch.expiresAt / 1_000,
      ),
  },
];
