import 'reflect-metadata';
import { settingsOfProcess } from '../config/environment.js';
import { UnusableSettings, type Settings } from '../config/settings.js';
import { TokenMinter } from './authentication/token-minter.js';
import { startServer, type GatehouseServer } from './server.js';

const DEVELOPMENT_TOKEN = { sub: 'developer', roles: ['ADMIN', 'MEMBER'], expiresInSeconds: 86_400 };

async function main(): Promise<void> {
  const settings = settingsOfProcess();
  const server = await startServer(settings);
  server.logger.info(`Gatehouse listens on port ${server.port}`);
  if (settings.madeDevelopmentSecret) printReadyLink(settings, server);
  endOnSignals(server);
}

/** As Jupyter does: a development server prints the address to paste into any client. */
function printReadyLink({ server: { wsPath } }: Settings, { app, port }: GatehouseServer): void {
  const token = app.get(TokenMinter, { strict: false }).mint(DEVELOPMENT_TOKEN);
  process.stdout.write(`\nReady: ws://127.0.0.1:${port}${wsPath}?token=${token}\n\n`);
}

/** The first signal drains, the second ends at once. */
function endOnSignals(server: GatehouseServer): void {
  let isEnding = false;
  const end = (signal: NodeJS.Signals): void => {
    if (isEnding) process.exit(1);
    isEnding = true;
    server.logger.info(`${signal}: draining; once more ends at once`);
    server.close().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}

function fail(error: unknown): never {
  const isKnown = error instanceof UnusableSettings;
  process.stderr.write(
    `${isKnown ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exit(1);
}

await main().catch(fail);
