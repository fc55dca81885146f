import { join } from 'node:path';
import { shortNames, SHORTENED } from './short-names.mjs';

export const ENTRIES = ['index', 'react', 'tabs', 'testing', 'msgpack', 'fernet', 'state', 'state-react'];

/** How the package is bundled: the build and the test of its size use the same. */
export function bundleOptions(home) {
  return {
    entryPoints: ENTRIES.map((entry) => join(home, 'src', `${entry}.ts`)),
    alias: { '@gatehouse/protocol': join(home, '../protocol/src/protocol.ts') },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'neutral',
    // Browsers of the last three years, and Node 20.
    target: ['es2022', 'chrome110', 'firefox110', 'safari16', 'node20'],
    external: ['react'],
    // Members that only this package sees. The source maps have their names as they are in the source.
    mangleProps: SHORTENED,
    mangleCache: shortNames(join(home, 'src')),
    // Assigned in the constructor, fields take fewer bytes than declared ones.
    tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } },
    chunkNames: 'chunks/[name]-[hash]',
    logLevel: 'warning',
  };
}
