import { build, type BuildResult, type OutputFile } from 'esbuild';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import { referenceOf } from '../../../scripts/client-types.js';
import { bundleOptions, ENTRIES } from '../bundle.mjs';
import { INTERNAL, shortNames } from '../short-names.mjs';
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

function sources(): string[] {
  const folder = resolve(home, 'src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return files.map((file) => readFileSync(join(folder, file), 'utf8'));
}

describe('the package, minified and compressed', () => {
  it('has a core of at most 8.75 KB', async () => {
    expect(await sizeOf('index')).toBeLessThanOrEqual(8.75 * KB);
  });

  it('has at most 13.75 KB in all that an application can ship, without state', async () => {
    const usual = ENTRIES.filter((entry) => entry !== 'testing' && !entry.startsWith('state'));
    expect(await sizeOf(...usual)).toBeLessThanOrEqual(13.75 * KB);
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

  it('shortens no name that an application, a message or the platform has, too', () => {
    const declarations = referenceOf(resolve(home, 'src')).replaceAll(/\/\*.*?\*\//gs, '');
    const contract = readFileSync('contract/asyncapi.json', 'utf8');
    const objects = [Map, Set, Array, Promise, Date, URL, RegExp, Error, AbortController, AbortSignal, WebSocket];
    const members = objects.flatMap(({ prototype }) => Object.getOwnPropertyNames(prototype));
    const known = new Set([...`${declarations} ${contract}`.matchAll(/\w+/g)].map(([name]) => name).concat(members));
    expect(known).toContain('onMessage');
    expect([...INTERNAL, 'seq'].filter((name) => known.has(name))).toEqual(['seq']);
  });

  it('gives members of one file different short names', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'one.ts'), 'this._open; this._close; this.flush');
    await writeFile(join(folder.path, 'other.ts'), 'this._other; this._close; this._close');
    const { _open: open, _close: close, flush, _other: other } = shortNames(folder.path);
    expect(new Set([open, close, flush]).size).toBe(3);
    expect([close, other === open || other === flush]).toEqual(['a', true]);
  });

  it('names no member that it shortens in a string', () => {
    const quoted = new RegExp(`'(_[a-z]\\w*|${INTERNAL.join('|')})'`);
    expect("host['flush']()").toMatch(quoted);
    for (const text of sources()) expect(text).not.toMatch(quoted);
  });

  it('adds no members with short names to a class that it extends', () => {
    const extending = sources().filter((text) => /class (\w+ )?extends (?!Error\b)/.test(text));
    expect(extending.length).toBeGreaterThan(0);
    for (const text of extending) expect(text).not.toMatch(/\b_[a-z]/);
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
