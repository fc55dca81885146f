import type { DynamicModule, INestApplicationContext, Type } from '@nestjs/common';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import type { DestinationStream } from 'pino';
import type { SettingsSource } from '../../config/settings-source.js';
import { MessageScope } from '../dispatch/calls/message-scope.js';
import { DispatchEvents } from '../dispatch/dispatch-events.js';
import { Logging } from '../observability/logs/logging.js';
import { NestLogger } from '../observability/logs/nest-logger.js';
import type { AwsServices } from './aws/aws-clients.js';
import { HandlerRun, type LambdaContext } from './handler-run.js';
import { ServerlessHost } from './host.js';
import type { GatewayAnswer } from './routes/gateway-event.js';
import { ServerlessModule } from './serverless.module.js';
import { settingsOfHost } from './settings-of-host.js';
import { TABLES, type Tables } from './tables.js';

/** Options of `createHandler`. */
export interface HandlerOptions extends SettingsSource {
  /** Names of the tables. Default: `gatehouse-connections`, `gatehouse-subscriptions` and `gatehouse-channels`. */
  readonly tables?: Partial<Tables>;
  /** How to reach AWS. Default: as the SDK finds it in the environment of the function. */
  readonly services?: AwsServices;
  /** Gets the lines of the log instead of standard output. */
  readonly logOutput?: DestinationStream;
  /** Waits before a call is tried again. Default: a timer. */
  readonly sleep?: (milliseconds: number) => Promise<unknown>;
}

/** The handler of a Lambda function behind a WebSocket API of API Gateway. */
export interface Handler {
  (event: unknown, context?: LambdaContext): Promise<GatewayAnswer>;
  /** Resolves when the application has started. Lambda needs not wait for it. */
  readonly started: Promise<void>;
  /** Ends the application. For tests: Lambda just stops the process. */
  close(): Promise<void>;
}

/**
 * Runs the gateways of a module behind API Gateway: `export const handler = createHandler(AppModule)`. The built-in
 * gateways are there as well. The application starts at once, and serves one event after the other.
 *
 * @param feature a module with gateways, as a server has among its features; it does not import GatehouseModule
 * @throws UnusableSettings naming every setting that cannot be used, or that needs a server
 */
export function createHandler(feature: Type | DynamicModule, options: HandlerOptions = {}): Handler {
  const settings = settingsOfHost(options);
  const tables = { ...TABLES, ...options.tables };
  const host = new ServerlessHost({ settings, tables, services: options.services, sleep: options.sleep });
  const starting = start();
  // Whoever invokes the function is told.
  starting.catch(() => {});

  async function start(): Promise<{ app: INestApplicationContext; logging: Logging; run: HandlerRun }> {
    const logging = await Logging.open(settings, options.logOutput);
    const scope = MessageScope.of(settings);
    const app = await NestFactory.createApplicationContext(
      ServerlessModule.of({ settings, openLogging: () => logging, scope, httpPrefix: '' }, host, feature),
      { logger: new NestLogger(logging.logs, scope && (() => scope.fields())), abortOnError: false },
    );
    refuseServer(app);
    app
      .get(DispatchEvents, { strict: false })
      .on('crashed', (where, err) => logging.logs.write('handler_failed', () => ({ where, err })));
    return { app, logging, run: new HandlerRun(app, host, logging.logs) };
  }

  const handler = async (event: unknown, context?: LambdaContext): Promise<GatewayAnswer> =>
    (await starting).run.serve(event, context);
  return Object.assign(handler, {
    started: starting.then(() => undefined),
    close: async () => {
      const { app, logging } = await starting;
      await app.close();
      await logging.close();
    },
  });
}

/** By its name: importing the module itself would load a whole server. */
function refuseServer(app: INestApplicationContext): void {
  const modules = [...app.get(ModulesContainer).values()];
  if (!modules.some(({ metatype }) => metatype.name === 'GatehouseModule')) return;
  throw new Error('The module of a function imports GatehouseModule, which is a server. Leave it out of its imports');
}
