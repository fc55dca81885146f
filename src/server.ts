import type { DynamicModule, INestApplication, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { Settings } from '../config/settings.js';
import { AppModule } from './app.module.js';
import { RealtimeAdapter } from './dispatch/realtime-adapter.js';
import { NodeReporter } from './lifecycle/node-reporter.js';
import { ServerState } from './lifecycle/server-state.js';
import { createLogger, NestLogger } from './observability/logger.js';
import { setUpServerApi } from './server-api/set-up.js';

export interface StartOptions {
  readonly logger?: Logger;
  /** Modules with gateways that do not stand in gateways.module.ts. */
  readonly features?: readonly (Type | DynamicModule)[];
}

export interface GatehouseServer {
  readonly app: INestApplication<Server>;
  readonly logger: Logger;
  /** The port it listens on, also where the settings said 0. */
  readonly port: number;
  /** Drains and ends; resolves when the last session and the HTTP server are closed. */
  close(): Promise<void>;
}

/** Starts a server in this process; tests start theirs the same way as main.ts. */
export async function startServer(settings: Settings, options: StartOptions = {}): Promise<GatehouseServer> {
  const { server, messages } = settings;
  const { logger = createLogger(settings), features } = options;
  const app = await NestFactory.create<NestExpressApplication>(AppModule.register(settings, logger, features), {
    logger: new NestLogger(logger),
    abortOnError: false,
  });
  app.disable('x-powered-by');
  setUpServerApi(app, settings);
  app.useWebSocketAdapter(
    new RealtimeAdapter(app, {
      path: server.wsPath,
      maxMessageBytes: messages.maxBytes,
      compressFromBytes: messages.compressFromBytes,
    }),
  );
  await (server.host === undefined ? app.listen(server.port) : app.listen(server.port, server.host));
  const { port } = app.getHttpServer().address() as AddressInfo;
  app.get(ServerState).ready();
  await app.get(NodeReporter).start(port);
  return { app, logger, port, close: () => app.close() };
}
