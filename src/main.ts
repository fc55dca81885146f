import 'reflect-metadata';
import { webSocketUrl } from '../config/addresses.js';
import { configurationOfProcess, isStartedByNpm } from '../config/environment.js';
import type { Settings } from '../config/settings.js';
import { UnusableSettings } from '../config/unusable-settings.js';
import type { GatehouseServer } from './server.js';

const DEVELOPMENT_TOKEN = { sub: 'developer', roles: ['ADMIN', 'MEMBER'], expiresInSeconds: 86_400 };

/** Under npm, two closer together are one: npm passes a Ctrl-C on that the terminal has given to this process already. */
const ONE_INTERRUPT_MS = 500;
const PARENT_CHECK_MS = 1_000;

async function main(): Promise<void> {
  const { settings, warnings } = configurationOfProcess();
  const starting = start(settings);
  endOnSignals(starting, settings.lifecycle.drainTimeoutMs);
  const server = await starting;
  tellLastWords(server);
  for (const warning of warnings) server.logger.warn(warning);
  server.logger.info({ port: server.port }, 'Gatehouse listens');
  const { internal } = settings;
  if (internal.port > 0)
    server.logger.info({ host: internal.host, port: internal.port }, 'Gatehouse listens for operators');
  if (settings.madeDevelopmentSecret) await printReadyLink(settings, server);
}

/** What ends the process is the last line of the log, too: on standard error alone, whoever collects that would miss it. */
function tellLastWords({ logger }: GatehouseServer): void {
  process.on('uncaughtExceptionMonitor', (err, origin) =>
    logger.fatal({ err, origin }, 'exception not caught, the process ends'),
  );
}

/** Loaded only now, which takes most of a start: unusable settings are told at once. */
async function start(settings: Settings): Promise<GatehouseServer> {
  const { startServer } = await import('./server.js');
  return startServer(settings);
}

/** As Jupyter does: a development server prints the address to paste into any client. */
async function printReadyLink(settings: Settings, { app, port }: GatehouseServer): Promise<void> {
  const { TokenMinter } = await import('./authentication/token-minter.js');
  const token = app.get(TokenMinter, { strict: false }).mint(DEVELOPMENT_TOKEN);
  process.stdout.write(`\nReady: ${webSocketUrl(settings, port, '127.0.0.1')}?token=${token}\n\n`);
}

/**
 * The first signal drains, the second ends at once. One that comes during the start is obeyed right after it: the first
 * process of a container, for which signals have no default effect, would otherwise never notice it.
 */
function endOnSignals(starting: Promise<GatehouseServer>, drainTimeoutMs: number): void {
  const isUnderNpm = isStartedByNpm();
  let endingSince: number | undefined;
  const end = (cause: string): void => {
    const isEcho = isUnderNpm && cause === 'SIGINT' && performance.now() - (endingSince ?? 0) < ONE_INTERRUPT_MS;
    if (endingSince !== undefined && !isEcho) process.exit(1);
    if (endingSince !== undefined) return;
    endingSince = performance.now();
    starting.then((server) => leave(server, cause, drainTimeoutMs)).catch(fail);
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, end);
  if (isUnderNpm) endWithParent(() => end('npm has ended'));
}

/** Without this, the server would go on unseen after a signal to `npm start`, and keep its port. */
function endWithParent(end: () => void): void {
  const { ppid } = process;
  const timer = setInterval(() => {
    if (process.ppid === ppid) return;
    clearInterval(timer);
    end();
  }, PARENT_CHECK_MS);
  timer.unref();
}

async function leave(server: GatehouseServer, cause: string, drainTimeoutMs: number): Promise<never> {
  server.logger.info({ cause }, 'ending; a signal once more ends at once');
  // Sessions end in time by themselves; this is for whatever else might hold the process, such as a hanging HTTP request.
  setTimeout(() => process.exit(0), drainTimeoutMs).unref();
  await server.close();
  process.exit(0);
}

function fail(error: unknown): never {
  process.stderr.write(`${explain(error)}\n`);
  process.exit(1);
}

/** A mistake of the operator is told in a sentence; everything else with its stack. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  if (code === 'EADDRINUSE') return `Port ${port} is taken: end what listens there, or set PORT`;
  if (code === 'EACCES' && port !== undefined) return `Port ${port} may not be used by this account: set PORT`;
  return error instanceof UnusableSettings ? error.message : (error.stack ?? error.message);
}

await main().catch(fail);
