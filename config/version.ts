import { existsSync, readFileSync } from 'node:fs';

/** The version in package.json: of the sources one folder up, of the compiled server two. */
export const VERSION = readVersion();

function readVersion(): string {
  const manifest = ['../package.json', '../../package.json']
    .map((path) => new URL(path, import.meta.url))
    .find((url) => existsSync(url));
  if (manifest === undefined) return 'unknown';
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}
