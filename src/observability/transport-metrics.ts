import type { Provider } from '@nestjs/common';
import { getToken, makeCounterProvider } from '@willsoto/nestjs-prometheus';
import { CertificateWatch } from '../transport/certificate-watch.js';
import { METRIC } from './metrics.js';
import { pulledGauge } from './pulled-metric.js';

/** What happens at the doors: TLS, and HTTP before a handler. */
export const transportMetrics: Provider[] = [
  makeCounterProvider({
    name: METRIC.httpRefused,
    help: 'HTTP requests refused before they came to a handler, by reason',
    labelNames: ['reason'],
  }),
  makeCounterProvider({
    name: METRIC.tlsErrors,
    help: 'TLS handshakes that came to nothing, by reason',
    labelNames: ['reason'],
  }),
  makeCounterProvider({
    name: METRIC.tlsReloads,
    help: 'Certificates that were taken from changed files, or refused',
    labelNames: ['result'],
  }),
  {
    provide: getToken(METRIC.tlsExpiry),
    inject: [CertificateWatch],
    useFactory: (watch: CertificateWatch) =>
      pulledGauge(METRIC.tlsExpiry, 'When the certificate in use ends; absent where there is none', () =>
        watch.expiresAt === undefined ? undefined : watch.expiresAt / 1_000,
      ),
  },
];
