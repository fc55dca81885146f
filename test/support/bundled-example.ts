import { build } from 'esbuild';
import { basename, join, resolve } from 'node:path';
import { bundleOptions } from '../../packages/client/bundle.mjs';
import { temporaryFolder } from './temporary-folder.js';

const home = resolve('packages/client');

/** The entry points of the library, for pages and scripts that import it by the name of its package. */
export const LIBRARY_ALIAS = {
  ...bundleOptions(home).alias,
  '@gatehouse/client/fernet': join(home, 'src/fernet.ts'),
  '@gatehouse/client': join(home, 'src/index.ts'),
};

export interface BundledExample extends AsyncDisposable {
  readonly path: string;
}

/** A script of Node, as one file with the client library: the library need not be built before. Others stay as they are. */
export async function bundledExample(script: string): Promise<BundledExample> {
  if (!script.endsWith('.mjs')) return { path: script, [Symbol.asyncDispose]: async () => {} };
  // Below node_modules, where the script finds its other packages.
  const folder = await temporaryFolder(resolve('node_modules'));
  const path = join(folder.path, basename(script));
  await build({
    entryPoints: [script],
    outfile: path,
    alias: LIBRARY_ALIAS,
    bundle: true,
    format: 'esm',
    platform: 'node',
    external: ['ws'],
    logLevel: 'warning',
  });
  return { ...folder, path };
}

/** The files of the built library, by their names. */
export async function builtLibrary(): Promise<ReadonlyMap<string, string>> {
  const { outputFiles } = await build({ ...bundleOptions(home), outdir: join(home, 'dist'), write: false });
  return new Map(outputFiles.map(({ path, text }) => [path.slice(join(home, 'dist').length + 1), text]));
}
