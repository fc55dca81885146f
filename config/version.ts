import { existsSync, readFileSync } from 'node:fs';

/** The version in package.json, one folder above the sources, or two above the compiled files. */
export const VERSION = readVersion();

function readVersion(): string {
  const manifest = ['../package.json', '../../package.json']
    .map((path) => new URL(path, import.meta.url))
    .find((url) => existsSync(url));
  if (manifest === undefined) return 'unknown';
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}
