import 'reflect-metadata';
import { isIPv6 } from 'node:net';
import { settingsOfProcess } from '../config/environment.js';
import type { Settings } from '../config/settings.js';
import { UnusableSettings } from '../config/unusable-settings.js';
import { TokenMinter } from './authentication/token-minter.js';
import { startServer, type GatehouseServer } from './server.js';

const DEVELOPMENT_TOKEN = { sub: 'developer', roles: ['ADMIN', 'MEMBER'], expiresInSeconds: 86_400 };

async function main(): Promise<void> {
  const settings = settingsOfProcess();
  const starting = startServer(settings);
  endOnSignals(starting, settings.lifecycle.drainTimeoutMs);
  const server = await starting;
  server.logger.info(`Gatehouse listens on port ${server.port}`);
  if (settings.madeDevelopmentSecret) printReadyLink(settings, server);
}

/** As Jupyter does: a development server prints the address to paste into any client. */
function printReadyLink({ server: { host, wsPath } }: Settings, { app, port }: GatehouseServer): void {
  const token = app.get(TokenMinter, { strict: false }).mint(DEVELOPMENT_TOKEN);
  const isEveryAddress = host === undefined || host === '0.0.0.0' || host === '::';
  const reachable = isEveryAddress ? '127.0.0.1' : isIPv6(host) ? `[${host}]` : host;
  process.stdout.write(`\nReady: ws://${reachable}:${port}${wsPath}?token=${token}\n\n`);
}

/**
 * The first signal drains, the second ends at once. One that comes during the start is obeyed right after it: the first
 * process of a container, for which signals have no default effect, would otherwise never notice it.
 */
function endOnSignals(starting: Promise<GatehouseServer>, drainTimeoutMs: number): void {
  let isEnding = false;
  const end = (signal: NodeJS.Signals): void => {
    if (isEnding) process.exit(1);
    isEnding = true;
    starting.then((server) => leave(server, signal, drainTimeoutMs)).catch(fail);
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}

async function leave(server: GatehouseServer, signal: NodeJS.Signals, drainTimeoutMs: number): Promise<never> {
  server.logger.info(`${signal}: draining; once more ends at once`);
  // Sessions end in time by themselves; this is for whatever else might hold the process, such as a hanging HTTP request.
  setTimeout(() => process.exit(0), drainTimeoutMs).unref();
  await server.close();
  process.exit(0);
}

function fail(error: unknown): never {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${error instanceof UnusableSettings ? error.message : text}\n`);
  process.exit(1);
}

await main().catch(fail);
