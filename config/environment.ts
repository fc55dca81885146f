import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { DEFINITIONS } from './definitions.js';
import { loadSettings, type Settings } from './settings.js';

const FILE = '.env';

export interface ProcessConfiguration {
  readonly settings: Settings;
  /** What the operator should know although the server can start. */
  readonly warnings: readonly string[];
}

/** The settings of this process: its environment, and a `.env` file for what the environment leaves unset. */
export function configurationOfProcess(): ProcessConfiguration {
  const file = existsSync(FILE) ? parseEnv(readFileSync(FILE, 'utf8')) : {};
  const settings = loadSettings({ ...file, ...process.env });
  return { settings, warnings: [...unknownKeys(Object.keys(file)), ...weaknesses(settings)] };
}

/** Whether npm started this process: then a signal to npm ends npm and its shell, and does not reach us. */
export function isStartedByNpm(): boolean {
  return process.env.npm_lifecycle_event !== undefined;
}

/** Names in `.env` that are no setting, as a misspelt one is. The environment itself is full of other programs' variables. */
function unknownKeys(keys: readonly string[]): string[] {
  const known = new Set(Object.values(DEFINITIONS).flatMap((group) => Object.values(group).map(({ env }) => env)));
  return keys.filter((key) => !known.has(key)).map((key) => `${FILE}: ${key} is not a setting of this server`);
}

function weaknesses({ authentication: { jwtSecret } }: Settings): string[] {
  if (jwtSecret === undefined || Buffer.byteLength(jwtSecret) >= 32) return [];
  return ['JWT_SECRET is shorter than 32 bytes: whoever has one token can try out secrets until one fits'];
}
