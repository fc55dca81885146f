import { Module } from '@nestjs/common';
import { UpgradeModule } from '../upgrade/upgrade.module.js';
import { CertificateWatch } from './certificate-watch.js';
import { InternalPort } from './internal-port.js';
import { TransportEvents } from './transport-events.js';

/** TLS and its certificate, the ports, and the responses to requests without a controller. */
@Module({
  imports: [UpgradeModule],
  providers: [TransportEvents, CertificateWatch, InternalPort],
  exports: [TransportEvents, CertificateWatch],
})
export class TransportModule {}
