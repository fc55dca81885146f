import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface BridgesFile extends Disposable {
  /** The environment that has a server read it. */
  readonly environment: { readonly BRIDGES_FILE: string };
}

/** A bridges file for one test. YAML reads JSON, too. */
export function bridgesFile(bridges: object): BridgesFile {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bridges-'));
  const path = join(folder, 'bridges.yaml');
  writeFileSync(path, JSON.stringify(bridges));
  return { environment: { BRIDGES_FILE: path }, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}
