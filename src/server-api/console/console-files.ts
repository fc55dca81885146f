import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

/** A file of the console, as it is sent. */
export class ConsoleFile {
  readonly etag: string;
  private gzipped: Buffer | undefined;

  constructor(
    readonly plain: Buffer,
    readonly type: string,
  ) {
    this.etag = `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`;
  }

  /** Compressed when somebody asks for it, and once: a start of the server need not wait for it. */
  get compressed(): Buffer {
    return (this.gzipped ??= gzipSync(this.plain));
  }
}

/** Where the build puts the console: seen from the built server, and from its source. */
const FOLDERS = ['../../../console/', '../../../dist/console/'];
export const CONSOLE_PAGE = 'index.html';
const TYPES: Readonly<Record<string, string>> = {
  [CONSOLE_PAGE]: 'text/html; charset=utf-8',
  'console.js': 'text/javascript; charset=utf-8',
  'console.css': 'text/css; charset=utf-8',
};

/** The files of the console, read once. Undefined if the console has not been built. */
export function readConsoleFiles(): ReadonlyMap<string, ConsoleFile> | undefined {
  const folder = FOLDERS.map((path) => new URL(path, import.meta.url)).find((url) =>
    Object.keys(TYPES).every((name) => existsSync(fileURLToPath(new URL(name, url)))),
  );
  if (folder === undefined) return undefined;
  return new Map(
    Object.entries(TYPES).map(([name, type]) => [name, new ConsoleFile(readFileSync(new URL(name, folder)), type)]),
  );
}
