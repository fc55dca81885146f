import { existsSync } from 'node:fs';
import { loadSettings, type Settings } from './settings.js';

/** The settings of this process: its environment, and a `.env` file for what the environment leaves unset. */
export function settingsOfProcess(): Settings {
  if (existsSync('.env')) process.loadEnvFile('.env');
  return loadSettings(process.env);
}
