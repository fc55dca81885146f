import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { devNull } from 'node:os';
import { parseArgs } from 'node:util';
import { environmentOfProcess } from '../config/process-environment.js';
import { loadSettings, type Settings } from '../config/settings.js';
import { UnusableSettings } from '../config/unusable-settings.js';
import { contractOf } from './contract-of.js';
import { checkContract } from './contract/changes/check-contract.js';
import { writeContract, type ContractFiles } from './contract/contract-files.js';
import { loadFeatures } from './features-file.js';
import { GatehouseModule } from './gatehouse.module.js';
import { MessageScope } from './dispatch/calls/message-scope.js';
import { Logging } from './observability/logs/logging.js';

const USAGE = `Writes the contract of the server: which messages there are, and what they carry.

  npm run contract -- [--out contract] [--check]

  --out     folder of asyncapi.json, messages.ts and schemas/; default: contract
  --check   write nothing: compare with what the folder holds. Exits with 1 where a change would break clients,
            and with 2 where the files are out of date
`;

/** What of the environment the contract depends on. No key, certificate or Redis is needed to make it. */
const RELEVANT = ['FEATURES_FILE', 'CHANNELS_FILE', 'WS_PATH', 'BROADCAST_ROLES', 'ENCRYPTION_KEYS'];
const ALONE = { AUTH_MODE: 'off', AUDIT_LOG: 'off', LOG_LEVEL: 'fatal', HOOKS_FILE: devNull };

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      out: { type: 'string', default: 'contract' },
      check: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return tell(USAGE, 0);
  const files = await filesOfProgram();
  if (values.check) {
    const { message, exitCode } = await checkContract(values.out, files);
    return tell(message, exitCode);
  }
  await writeContract(values.out, files);
  return tell(`Wrote ${files.size} files to ${values.out}\n`, 0);
}

/** The providers are made, and nothing is started: no hook of a module runs, and no port is opened. */
async function filesOfProgram(): Promise<ContractFiles> {
  const settings = settingsOfContract();
  const features = await loadFeatures(settings.server.featuresFile);
  const runtime = {
    settings,
    openLogging: () => Logging.open(settings),
    scope: MessageScope.of(settings),
    httpPrefix: '',
  };
  const app = await NestFactory.create(GatehouseModule.of(runtime, features), { logger: false, abortOnError: false });
  return contractOf(app);
}

function settingsOfContract(): Settings {
  const environment = environmentOfProcess();
  return loadSettings({ ...Object.fromEntries(RELEVANT.map((name) => [name, environment[name]])), ...ALONE });
}

function tell(text: string, exitCode: number): number {
  (exitCode === 0 ? process.stdout : process.stderr).write(text);
  return exitCode;
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isOfUser = error instanceof UnusableSettings || 'code' in error;
  return isOfUser ? error.message : (error.stack ?? error.message);
}

// What the modules of the application opened may keep the process alive, and nothing is left to do.
process.exit(await main().catch((error: unknown) => tell(`${explain(error)}\n`, 1)));
