import { build, type BuildResult, type OutputFile } from 'esbuild';
import { mkdir, writeFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import { bundleOptions, ENTRIES } from '../bundle.mjs';
import type * as Library from '../src/index.js';
import type * as Testing from '../src/testing.js';

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

/** What an application ships that uses these entry points: one bundle. */
async function sizeOf(...entries: readonly string[]): Promise<number> {
  const { entryPoints: _, ...options } = bundleOptions(home);
  const contents = entries.map((entry) => `export * from './src/${entry}.ts';`).join('\n');
  const { outputFiles } = await build({
    ...options,
    stdin: { contents, resolveDir: home },
    splitting: false,
    minify: true,
    write: false,
  });
  return outputFiles.reduce((sum, file) => sum + gzipSync(file.contents, { level: 9 }).length, 0);
}

describe('the package, minified and compressed', () => {
  it('has a core of at most 9.25 KB', async () => {
    expect(await sizeOf('index')).toBeLessThanOrEqual(9.25 * KB);
  });

  it('has at most 14 KB in all that an application can ship, without state', async () => {
    const usual = ENTRIES.filter((entry) => entry !== 'testing' && !entry.startsWith('state'));
    expect(await sizeOf(...usual)).toBeLessThanOrEqual(14 * KB);
  });

  it('adds at most 2.75 KB to an application that follows the state of channels, and nothing to others', async () => {
    const added = (await sizeOf('index', 'state')) - (await sizeOf('index'));
    expect(added).toBeLessThanOrEqual(2.75 * KB);
    const [core] = await bundled('index');
    expect(core?.text).not.toContain('state.set');
  });

  it('works with the names that the bundle has shortened', async () => {
    await using folder = await temporaryFolder();
    const files = await bundled('index', 'testing');
    for (const { path, contents } of files) {
      const to = join(folder.path, relative(resolve('out'), path));
      await mkdir(dirname(to), { recursive: true });
      await writeFile(to, contents);
    }
    await writeFile(join(folder.path, 'package.json'), '{"type":"module"}');
    const { createClient } = (await import(join(folder.path, 'index.js'))) as typeof Library;
    const { TestServer } = (await import(join(folder.path, 'testing.js'))) as typeof Testing;
    const server = new TestServer();
    const client = createClient({ url: 'ws://test/ws', ...server.environment });
    const shown: unknown[] = [];
    const channel = client.channel('room:lobby', {
      load: async () => server.positionOf('room:lobby'),
      onMessage: ({ data }) => void shown.push(data),
      onPresence: (members) => void shown.push(members.length),
    });
    const published = channel.publish('hi');
    await server.clock.advance(1_000);
    server.closeAll(1006);
    await server.clock.advance(5_000);
    await expect(published).resolves.toMatchObject({ channel: 'room:lobby', seq: 1 });
    expect([client.getSnapshot().state, shown]).toEqual(['open', expect.arrayContaining(['hi', 1])]);
  });

  it('stores nothing in the browser, so that nothing can be full', async () => {
    const files = await bundled(...ENTRIES);
    for (const { text } of files) expect(text).not.toMatch(/localStorage|sessionStorage|indexedDB|\.cookie|caches\b/);
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
