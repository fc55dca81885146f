import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { Environment } from './setting.js';

export const ENV_FILE = '.env';

/** Settings from the file, for variables that the environment does not set. */
export function envFile(): Environment {
  return existsSync(ENV_FILE) ? parseEnv(readFileSync(ENV_FILE, 'utf8')) : {};
}

export function environmentOfProcess(file: Environment = envFile()): Environment {
  return { ...file, ...process.env };
}
