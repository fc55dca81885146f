import type { DynamicModule, Type } from '@nestjs/common';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UnusableSettings } from '../config/unusable-settings.js';

/** A module with gateways, for the imports of the application. */
export type Feature = Type | DynamicModule;

const TYPESCRIPT = /\.[cm]?ts$/;
const MODULE_KEYS = ['imports', 'providers', 'controllers', 'exports'];

/**
 * Loads the default export of FEATURES_FILE: a module or a list of modules.
 *
 * @param path relative to the working directory; undefined: no features
 * @throws UnusableSettings with the fault of the file
 */
export async function loadFeatures(path: string | undefined): Promise<readonly Feature[]> {
  if (path === undefined) return [];
  const file = resolve(path);
  if (!existsSync(file)) throw unusable(`there is no file ${file}`);
  // Newer versions of Node load TypeScript, but fail at the first decorator.
  if (TYPESCRIPT.test(file)) throw unusable(notJavaScript(file));
  const exported = defaultOf(await load(file));
  if (exported === undefined) throw unusable(`${file} has no default export. Add: export default YourModule`);
  const features: readonly unknown[] = Array.isArray(exported) ? exported : [exported];
  for (const feature of features) if (!isModule(feature)) throw unusable(notModule(file, feature));
  return features as readonly Feature[];
}

async function load(file: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  } catch (error) {
    const { code, message, stack } = error as NodeJS.ErrnoException;
    if (code === 'ERR_UNKNOWN_FILE_EXTENSION') throw unusable(notJavaScript(file));
    if (code === 'ERR_MODULE_NOT_FOUND') throw unusable(`${file} imports a module that is not installed: ${message}`);
    throw unusable(`${file} failed to load: ${stack ?? message}`);
  }
}

/** A CommonJS file compiled from `export default` has it one level deeper. */
function defaultOf({ default: exported }: Record<string, unknown>): unknown {
  const isWrapped = typeof exported === 'object' && exported !== null && '__esModule' in exported;
  return isWrapped ? (exported as { default?: unknown }).default : exported;
}

function isModule(value: unknown): boolean {
  if (typeof value === 'function') return MODULE_KEYS.some((key) => Reflect.hasMetadata(key, value));
  return typeof value === 'object' && value !== null && typeof (value as Partial<DynamicModule>).module === 'function';
}

function notModule(file: string, value: unknown): string {
  const name = typeof value === 'function' ? value.name : JSON.stringify(value);
  return `the default export of ${file} must be a Nest module or a list of them, but ${name} is not a module. Put @Module({ providers: [YourGateway] }) before its class`;
}

function notJavaScript(file: string): string {
  return `${file} is not JavaScript. Compile it, and set the path of the .js file`;
}

function unusable(fault: string): UnusableSettings {
  return new UnusableSettings([`FEATURES_FILE: ${fault}`]);
}
