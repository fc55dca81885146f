import type { DynamicModule, INestApplication, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { RequestListener, Server } from 'node:http';
import { Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { DestinationStream, Logger } from 'pino';
import { readCertificate, type Certificate } from '../config/certificate.js';
import type { Settings } from '../config/settings.js';
import { GatehouseModule } from './gatehouse.module.js';
import { becomeReady, setUpGateways } from './install-gatehouse.js';
import { setUpContract } from './contract/serving/set-up-contract.js';
import { MessageScope } from './dispatch/calls/message-scope.js';
import { Drain } from './lifecycle/drain.js';
import { Logging } from './observability/logs/logging.js';
import { NestLogger } from './observability/logs/nest-logger.js';
import { setUpConsole } from './server-api/console/set-up-console.js';
import { setUpDocs, setUpServerApi } from './server-api/set-up.js';
import { CertificateWatch } from './transport/certificate-watch.js';
import { HttpAdapter } from './transport/http-adapter.js';
import { refuseBodies, setUpHttp } from './transport/http-gate.js';
import { InternalPort } from './transport/internal-port.js';
import { listenOptions } from './transport/shared-port.js';
import { watchTlsFailures } from './transport/tls-failures.js';
import { tlsOptions } from './transport/tls-options.js';
import { TransportEvents } from './transport/transport-events.js';
import { PendingConnections } from './upgrade/pending/pending-connections.js';

export interface StartOptions {
  /** Gets the lines of the log instead of standard output. */
  readonly logOutput?: DestinationStream;
  /** Modules with gateways that are not in gateways.module.ts. */
  readonly features?: readonly (Type | DynamicModule)[];
}

export interface GatehouseServer {
  readonly app: INestApplication<Server>;
  /** For lines about start and end. */
  readonly logger: Logger;
  /** The port it listens on, also if the setting is 0. */
  readonly port: number;
  /** Drains and stops. Resolves when the last session and the HTTP server are closed. */
  close(): Promise<void>;
}

/** Starts a server in this process. Tests start theirs the same way as main.ts. */
export async function startServer(settings: Settings, options: StartOptions = {}): Promise<GatehouseServer> {
  const logging = await Logging.open(settings, options.logOutput);
  try {
    const { app, port } = await startApplication(settings, logging, options.features);
    const close = async (): Promise<void> => {
      await app.close();
      await logging.close();
    };
    return { app, logger: logging.logs.of('lifecycle'), port, close };
  } catch (error) {
    await logging.close();
    throw error;
  }
}

async function startApplication(
  settings: Settings,
  logging: Logging,
  features: StartOptions['features'],
): Promise<Pick<GatehouseServer, 'app' | 'port'>> {
  const scope = MessageScope.of(settings);
  const certificate = readCertificate(settings.tls);
  const tls = certificate && tlsOptions(settings.tls, certificate);
  const adapter = new HttpAdapter(tls, (exception) => app.get(TransportEvents).emit('crashed', exception));
  const app = await NestFactory.create<NestExpressApplication>(
    GatehouseModule.of({ settings, openLogging: () => logging, scope, httpPrefix: '' }, features),
    adapter,
    { logger: new NestLogger(logging.logs, scope && (() => scope.fields())), abortOnError: false, bodyParser: false },
  );
  try {
    return { app, port: await setUpAndListen(app, settings, certificate) };
  } catch (error) {
    // The process may go on without this server, as a test run does: nothing of it may stay.
    await app.close();
    throw error;
  }
}

/** @returns the public port */
async function setUpAndListen(
  app: NestExpressApplication,
  settings: Settings,
  certificate: Certificate | undefined,
): Promise<number> {
  const pendingConnections = app.get(PendingConnections);
  pendingConnections.guard(app.getHttpServer());
  app.use(pendingConnections.limitHeaders);
  setUpHttp(app, settings);
  setUpServerApi(app, settings, '');
  refuseBodies(app);
  setUpDocs(app, settings, '');
  setUpContract(app, settings, '');
  setUpConsole(app, settings, '');
  setUpGateways(app, settings);
  const port = await openPorts(app, settings, certificate);
  // Otherwise clients that leave this worker would come back to it.
  if (settings.workers.self) app.get(Drain, { strict: false }).on('began', () => stopListening(app));
  await becomeReady(app, port);
  return port;
}

/** Accepts no more connections; those that are open go on. */
function stopListening(app: NestExpressApplication): void {
  app.getHttpServer().close();
  app.get(InternalPort).stopListening();
}

/** @returns the public port */
async function openPorts(
  app: NestExpressApplication,
  { server, tls, workers }: Settings,
  certificate: Certificate | undefined,
): Promise<number> {
  await app.init();
  const handle = app.getHttpAdapter().getInstance() as RequestListener;
  const internal = await app.get(InternalPort).open(handle, certificate && tlsOptions(tls, certificate));
  // Nest passes what it gets to the server of Node.
  await app.listen(listenOptions(server.port, server.host, workers.self !== undefined) as unknown as number);
  const servers = [app.getHttpServer(), internal].filter((candidate) => candidate instanceof TlsServer);
  const pendingConnections = app.get(PendingConnections);
  const wasCut = (tcp: Socket): boolean => pendingConnections.wasCut(tcp);
  for (const each of servers) watchTlsFailures(each, { events: app.get(TransportEvents), wasCut });
  if (certificate) app.get(CertificateWatch).start(certificate, servers);
  return (app.getHttpServer().address() as AddressInfo).port;
}
