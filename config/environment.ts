import { SETTING_NAMES } from './definitions.js';
import { ENV_FILE, envFile, environmentOfProcess } from './process-environment.js';
import { loadSettings, type Environment, type Settings } from './settings.js';
import { settingsOfWorker } from './settings-of-worker.js';
import { workerOfProcess } from './worker-identity.js';

export interface ProcessConfiguration {
  readonly settings: Settings;
  /** Warnings for the operator; the server can start all the same. */
  readonly warnings: readonly string[];
}

/** The settings of this process: its environment, and a `.env` file for variables that the environment does not set. */
export function configurationOfProcess(): ProcessConfiguration {
  const file = envFile();
  const environment = environmentOfProcess(file);
  const machine = loadSettings(environment);
  const worker = workerOfProcess();
  const settings = worker ? settingsOfWorker(machine, worker) : machine;
  // The primary has told them.
  if (worker) return { settings, warnings: [] };
  return { settings, warnings: [...unknownKeys(Object.keys(file)), ...warningsOf(settings, environment)] };
}

/**
 * Names in `.env` that are not settings, such as misspelt ones. The environment itself has many variables of other
 * programs.
 */
function unknownKeys(keys: readonly string[]): string[] {
  return keys
    .filter((key) => !SETTING_NAMES.has(key))
    .map((key) => `${ENV_FILE}: ${key} is not a setting of this server`);
}

/** Settings that work, but probably not as intended. */
export function warningsOf(settings: Settings, environment: Environment): string[] {
  return [...shortSecret(settings), ...metricsOff(settings, environment), ...apiOutOfReach(settings)];
}

function shortSecret({ authentication: { jwtSecret } }: Settings): string[] {
  if (jwtSecret === undefined || Buffer.byteLength(jwtSecret) >= 32) return [];
  return ['JWT_SECRET is shorter than 32 bytes: anyone who has a token can find the secret by trying'];
}

/** Without a setting for them, an operator might wonder where the metrics are. */
function metricsOff({ internal }: Settings, { METRICS_ENABLED }: Environment): string[] {
  const isChosen = METRICS_ENABLED?.trim() === 'off';
  if (internal.metricsEnabled === 'on' || isChosen) return [];
  return [
    '/metrics is off. To turn it on, set METRICS_TOKEN, INTERNAL_PORT or METRICS_ENABLED=on; METRICS_ENABLED=off hides this warning',
  ];
}

function apiOutOfReach({ api, tls, internal }: Settings): string[] {
  const isPlain = internal.port !== 0 && internal.tls === 'off' && tls.required === 'on';
  return isPlain && api.enabled === 'on'
    ? ['REQUIRE_TLS is on, so INTERNAL_PORT refuses /api without TLS. Set INTERNAL_TLS=on']
    : [];
}
