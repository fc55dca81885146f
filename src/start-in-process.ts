import { webSocketUrl } from '../config/addresses.js';
import type { Settings } from '../config/settings.js';
import { UnusableSettings } from '../config/unusable-settings.js';
import type { GatehouseServer } from './server.js';
import { operatorsUrl, startBanner } from './start-banner.js';
import type { StopSignals } from './stop-signals.js';

const DEVELOPMENT_TOKEN = { sub: 'developer', roles: ['ADMIN', 'MEMBER'], expiresInSeconds: 86_400 };

export interface InProcess {
  readonly signals: StopSignals;
  readonly settings: Settings;
  /** For a failure while it stops. */
  readonly fail: (error: unknown) => never;
  /** Called when the server is closed, before the process ends. */
  readonly leave?: () => Promise<void>;
}

/** Loads and starts the server in this process. From now on a signal stops it. */
export async function startInProcess({ signals, settings, fail, leave }: InProcess): Promise<GatehouseServer> {
  // Loading the rest takes most of the start, so unusable settings are reported first.
  const { startServer } = await import('./server.js');
  const { loadFeatures } = await import('./features-file.js');
  const starting = loadFeatures(settings.server.featuresFile).then((features) => startServer(settings, { features }));
  const stoppable = starting.then((server) => ({
    announce: (cause: string) => server.logger.info({ cause }, 'shutting down; send the signal again to exit at once'),
    async close() {
      await server.close();
      await leave?.();
    },
  }));
  // A failed start is reported by the caller.
  stoppable.catch(() => undefined);
  signals.follow({ starting: stoppable, timeoutMs: settings.lifecycle.drainTimeoutMs, fail });
  const server = await starting;
  logUncaughtErrors(server);
  server.logger.info({ port: server.port }, 'Gatehouse listens');
  const { internal } = settings;
  if (internal.port > 0)
    server.logger.info({ host: internal.host, port: internal.port }, 'Gatehouse listens on the internal port');
  return server;
}

/** Tells a person at a terminal where the server is. */
export async function greet(settings: Settings, server: GatehouseServer): Promise<void> {
  const { isForPeople } = await import('./observability/logs/log-output.js');
  if (isForPeople(settings.log.format)) process.stdout.write(startBanner(settings, server.port));
  if (settings.madeDevelopmentSecret) await printReadyLink(settings, server);
}

/** The error that ends the process must also be the last line of the log, for readers who collect only the log. */
function logUncaughtErrors({ logger }: GatehouseServer): void {
  process.on('uncaughtExceptionMonitor', (err, origin) =>
    logger.fatal({ err, origin }, 'uncaught exception; the process exits'),
  );
}

/** Like Jupyter, a development server prints an address to paste into any client, and one of the console. */
async function printReadyLink(settings: Settings, { app, port }: GatehouseServer): Promise<void> {
  const { TokenMinter } = await import('./authentication/token-minter.js');
  const token = app.get(TokenMinter, { strict: false }).mint(DEVELOPMENT_TOKEN);
  const lines = [`Ready: ${webSocketUrl(settings, port, '127.0.0.1')}?token=${token}`];
  // In the fragment, which a browser sends to no server.
  if (settings.api.console === 'on') lines.push(`Console: ${operatorsUrl(settings, port)}/console#token=${token}`);
  process.stdout.write(`\n${lines.join('\n')}\n\n`);
}

/** A mistake of the operator is one sentence; any other error has its stack. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  if (code === 'EADDRINUSE') return `Port ${port} is in use. Stop the program that uses it, or set PORT`;
  if (code === 'EACCES' && port !== undefined)
    return `Port ${port} needs more privileges than this account has. Set PORT to a higher number`;
  const isForOperators = error instanceof UnusableSettings || error.name === 'WorkersFailed';
  return isForOperators ? error.message : (error.stack ?? error.message);
}
