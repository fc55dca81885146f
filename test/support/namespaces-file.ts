import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface NamespacesFile extends Disposable {
  /** The environment that has a server read it. */
  readonly environment: { readonly CHANNELS_FILE: string };
}

/** A namespaces file for one test: names and their options, in YAML's flow form. */
export function namespacesFile(namespaces: Readonly<Record<string, string>>): NamespacesFile {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-channels-'));
  const path = join(folder, 'channels.yaml');
  const lines = Object.entries(namespaces).map(([name, options]) => `  ${name}: { ${options} }\n`);
  writeFileSync(path, `namespaces:\n${lines.join('')}`);
  return { environment: { CHANNELS_FILE: path }, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}
