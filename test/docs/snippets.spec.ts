import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { read } from './markdown.js';

const run = promisify(execFile);
const README_FILES = ['chat.messages.ts', 'chat.gateway.ts', 'chat.module.ts'];

describe('code in the docs', () => {
  it('compiles as one module, in docs/extending.md and examples/gateway-chat', async () => {
    await using folder = await temporaryFolder();
    const example = (await readdir('examples/gateway-chat')).filter((file) => file.endsWith('.ts'));
    for (const file of example) await cp(`examples/gateway-chat/${file}`, join(folder.path, file));
    await writeFile(join(folder.path, 'tour.ts'), blocksOf('docs/extending.md', 'ts').join('\n'));
    await writeFile(join(folder.path, 'tsconfig.json'), JSON.stringify(asIfInGateways(folder.path)));
    const { stdout } = await run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', folder.path]).catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout).toBe('');
  });

  it.each(README_FILES)('is, in README.md, the very text of %s', (file) => {
    expect(blocksOf('README.md', 'ts')).toContain(read(`examples/gateway-chat/${file}`));
  });
});

function blocksOf(path: string, language: string): string[] {
  const blocks = read(path).matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'));
  return [...blocks].map(([, code = '']) => code);
}

/** Relative imports are read as if the folder were src/gateways/tour. */
function asIfInGateways(folder: string): object {
  return {
    extends: resolve('tsconfig.json'),
    compilerOptions: {
      noEmit: true,
      noUnusedLocals: false,
      rootDir: '/',
      rootDirs: [resolve(folder, '../..'), resolve('src')],
    },
    // All of the server too: it is built by this compiler, and checked by another in the test command.
    include: ['*.ts', resolve('src/main.ts'), resolve('src/**/*.d.ts')],
    exclude: [],
  };
}

async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'gatehouse-docs-'));
  await symlink(resolve('node_modules'), join(path, 'node_modules'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
