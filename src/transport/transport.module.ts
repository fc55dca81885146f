import { Module, type DynamicModule } from '@nestjs/common';
import { CertificateWatch } from './certificate-watch.js';
import { InternalPort } from './internal-port.js';
import { TransportEvents } from './transport-events.js';
import { TRANSPORT_SETTINGS, type TransportSettings } from './transport-settings.js';

/** The doors: TLS and its certificate, the ports, and what HTTP answers whoever asks. */
@Module({})
export class TransportModule {
  /** @param upgrade the module of the stage below */
  static register({ server, tls, internal }: TransportSettings, upgrade: DynamicModule): DynamicModule {
    const settings: TransportSettings = { server, tls, internal };
    return {
      module: TransportModule,
      imports: [upgrade],
      providers: [{ provide: TRANSPORT_SETTINGS, useValue: settings }, TransportEvents, CertificateWatch, InternalPort],
      exports: [TransportEvents, CertificateWatch],
    };
  }
}
