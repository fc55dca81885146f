import type { INestApplication } from '@nestjs/common';
import { ModulesContainer, type ApplicationConfig } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Settings } from '../config/settings.js';
import { setUpContract } from './contract/serving/set-up-contract.js';
import { RealtimeAdapter } from './endpoint/realtime-adapter.js';
import { GatehouseModule } from './gatehouse.module.js';
import { NodeReporter } from './lifecycle/node-reporter.js';
import { ServerState } from './lifecycle/server-state.js';
import { setUpConsole } from './server-api/console/set-up-console.js';
import { setUpDocs, setUpServerApi } from './server-api/set-up.js';
import { guardPaths } from './transport/http-gate.js';
import { HttpPrefix } from './transport/http-prefix.js';
import { InternalPort } from './transport/internal-port.js';
import { TransportEvents } from './transport/transport-events.js';

/**
 * Adds Gatehouse to a Nest application that imports `GatehouseModule.forRoot()`: its gateways at WS_PATH, its HTTP
 * endpoints below the prefix. Await it before the application listens. Everything else in the application stays as it
 * is. Clients are accepted when the application listens, and drained when it closes.
 *
 * @throws Error if the application does not import GatehouseModule, or does not run on Express
 * @throws UnusableSettings if INTERNAL_PORT is not available
 */
export async function installGatehouse(app: INestApplication): Promise<void> {
  const settings = settingsIn(app);
  const express = expressOf(app);
  const prefix = `${globalPrefixOf(app)}${app.get(HttpPrefix, { strict: false }).value}`;
  guardPaths(express, settings, prefix);
  setUpServerApi(express, settings, prefix);
  setUpDocs(express, settings, prefix);
  setUpContract(express, settings, prefix);
  setUpConsole(express, settings, prefix);
  setUpGateways(app, settings);
  await app.get(InternalPort).open(app.getHttpAdapter().getInstance() as RequestListener, undefined);
  const http = app.getHttpServer() as Server;
  http.once('listening', () => {
    becomeReady(app, (http.address() as AddressInfo).port).catch((exception: unknown) =>
      app.get(TransportEvents, { strict: false }).emit('crashed', exception),
    );
  });
}

/** Puts our own path under Nest's gateway decorators. */
export function setUpGateways(app: INestApplication, { server, messages, inbound }: Settings): void {
  app.useWebSocketAdapter(
    new RealtimeAdapter(app, {
      path: server.wsPath,
      maxMessageBytes: messages.maxBytes,
      maxFragments: inbound.maxFragments,
      compressFromBytes: messages.compressFromBytes,
      compressBatchesFromBytes: messages.compressBatchesFromBytes,
    }),
  );
}

/** From here on clients are accepted, and other nodes know this one. */
export async function becomeReady(app: INestApplication, port: number): Promise<void> {
  app.get(ServerState, { strict: false }).ready();
  await app.get(NodeReporter, { strict: false }).start(port);
}

/** Checks first, because by default Nest ends the process if `app.get` finds nothing. */
function settingsIn(app: INestApplication): Settings {
  const modules = [...app.get(ModulesContainer).values()];
  if (modules.some(({ metatype }) => metatype === GatehouseModule)) return app.get(Settings, { strict: false });
  throw new Error(
    'The application does not import Gatehouse. Add GatehouseModule.forRoot() to the imports of its root module, ' +
      'and call installGatehouse(app) after NestFactory.create()',
  );
}

function expressOf(app: INestApplication): NestExpressApplication {
  const type = app.getHttpAdapter().getType();
  if (type === 'express') return app as NestExpressApplication;
  throw new Error(
    `The application runs on ${type}, and Gatehouse needs @nestjs/platform-express. ` +
      'Create the application with NestFactory.create(AppModule), without another adapter',
  );
}

/** As Nest's own Swagger module reads it, because there is no public way. */
function globalPrefixOf(app: INestApplication): string {
  const { config } = app as unknown as { readonly config: ApplicationConfig };
  const prefix = config.getGlobalPrefix();
  return prefix === '' || prefix.startsWith('/') ? prefix : `/${prefix}`;
}
