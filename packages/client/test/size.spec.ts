import { build, type BuildResult, type OutputFile } from 'esbuild';
import { builtinModules } from 'node:module';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bundleOptions, ENTRIES } from '../bundle.mjs';

const KB = 1_024;
const home = resolve('packages/client');

async function bundled(...entries: readonly string[]): Promise<OutputFile[]> {
  const entryPoints = entries.map((entry) => resolve(home, 'src', `${entry}.ts`));
  const options = {
    ...bundleOptions(home),
    entryPoints,
    minify: true,
    write: false,
    metafile: true,
    outdir: 'out',
  } as const;
  const result: BuildResult<typeof options> = await build(options);
  return result.outputFiles;
}

async function sizeOf(...entries: readonly string[]): Promise<number> {
  const files = await bundled(...entries);
  return files.reduce((sum, { contents }) => sum + gzipSync(contents, { level: 9 }).length, 0);
}

describe('the package, minified and compressed', () => {
  it('has a core of at most 9.5 KB', async () => {
    expect(await sizeOf('index')).toBeLessThanOrEqual(9.5 * KB);
  });

  it('has at most 16 KB in all that an application ships', async () => {
    expect(await sizeOf(...ENTRIES.filter((entry) => entry !== 'testing'))).toBeLessThanOrEqual(16 * KB);
  });

  it('imports nothing but React', async () => {
    const files = await bundled(...ENTRIES);
    const imports = files.flatMap(({ text }) =>
      [...text.matchAll(/(?:from|import)\s*["']([^"']+)["']/g)].map(([, name = '']) => name),
    );
    expect(new Set(imports.filter((name) => !name.startsWith('.')))).toEqual(new Set(['react']));
    expect(imports.filter((name) => builtinModules.includes(name))).toEqual([]);
  });
});
