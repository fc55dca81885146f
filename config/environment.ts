import { SETTING_NAMES } from './definitions.js';
import { ENV_FILE, envFile, environmentOfProcess } from './process-environment.js';
import { loadSettings, type Environment, type Settings } from './settings.js';

export interface ProcessConfiguration {
  readonly settings: Settings;
  /** What the operator should know although the server can start. */
  readonly warnings: readonly string[];
}

/** The settings of this process: its environment, and a `.env` file for what the environment leaves unset. */
export function configurationOfProcess(): ProcessConfiguration {
  const file = envFile();
  const environment = environmentOfProcess(file);
  const settings = loadSettings(environment);
  return { settings, warnings: [...unknownKeys(Object.keys(file)), ...warningsOf(settings, environment)] };
}

/** Names in `.env` that are no setting, as a misspelt one is. The environment itself is full of other programs' variables. */
function unknownKeys(keys: readonly string[]): string[] {
  return keys
    .filter((key) => !SETTING_NAMES.has(key))
    .map((key) => `${ENV_FILE}: ${key} is not a setting of this server`);
}

/** What works, but hardly as it was meant. */
export function warningsOf(settings: Settings, environment: Environment): string[] {
  return [...shortSecret(settings), ...metricsOff(settings, environment), ...apiOutOfReach(settings)];
}

function shortSecret({ authentication: { jwtSecret } }: Settings): string[] {
  if (jwtSecret === undefined || Buffer.byteLength(jwtSecret) >= 32) return [];
  return ['JWT_SECRET is shorter than 32 bytes: anyone who has a token can find the secret by trying'];
}

/** Who has said nothing would otherwise wonder where they are. */
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
