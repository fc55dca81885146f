import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { once } from 'node:events';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import type { TlsOptions } from 'node:tls';
import { UnusableSettings } from '../../config/unusable-settings.js';
import { PendingConnections } from '../upgrade/pending/pending-connections.js';
import { createHttpServer } from './http-adapter.js';
import { listenOptions } from './shared-port.js';
import type { TransportSettings } from './transport-settings.js';

/** A second port for operators and back ends, with the same handlers and without WebSocket. */
@Injectable()
export class InternalPort implements OnApplicationShutdown {
  private readonly requests = new WeakSet<IncomingMessage>();
  private server: Server | undefined;

  constructor(
    @Inject(Settings) private readonly settings: TransportSettings,
    private readonly pendingConnections: PendingConnections,
  ) {}

  /** Whether a request came in by this port. */
  has(request: IncomingMessage): boolean {
    return this.requests.has(request);
  }

  /**
   * Listens. Returns undefined if the settings have no internal port.
   *
   * @param tls the certificate of the public port
   * @throws UnusableSettings if the port is not available
   */
  async open(handle: RequestListener, tls: TlsOptions | undefined): Promise<Server | undefined> {
    const { internal, workers } = this.settings;
    const { port, host, tls: speaksTls } = internal;
    if (port === 0) return undefined;
    const server = createHttpServer(speaksTls === 'on' ? tls : undefined, (request, response) => {
      this.requests.add(request);
      handle(request, response);
    });
    this.pendingConnections.guard(server);
    this.server = server.listen(listenOptions(port, host, workers.self !== undefined));
    await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
      throw new UnusableSettings([`INTERNAL_PORT: ${port} on ${host} cannot be listened on (${error.code})`]);
    });
    return server;
  }

  /** Accepts no more connections; those that are open go on. */
  stopListening(): void {
    this.server?.close();
  }

  onApplicationShutdown(): void {
    this.stopListening();
    this.server?.closeAllConnections();
  }
}
