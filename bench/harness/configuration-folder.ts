import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { benchFolder, configurationFile } from '../peers/catalogue.js';

export interface ConfigurationFolder extends Disposable {
  readonly path: string;
}

/** A temporary folder with the configuration of a peer that takes its port from a file. Disposal removes it. */
export function configurationFolder(template: string, port: number): ConfigurationFolder {
  const path = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
  const text = readFileSync(join(benchFolder, 'peers', template), 'utf8');
  writeFileSync(join(path, configurationFile), withPort(text, port));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Comments mention the word PORT too; they stay as they are. */
function withPort(text: string, port: number): string {
  return text.replaceAll(/^(?!\s*#)(.*)\bPORT\b/gm, `$1${port}`);
}
