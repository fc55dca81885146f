import { execFile } from 'node:child_process';
import { symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.js';
import { read } from './markdown.js';

const run = promisify(execFile);

const CONFIGURATION = {
  extends: resolve('tsconfig.json'),
  compilerOptions: { noEmit: true, noUnusedLocals: false, rootDir: '/' },
  // All of the server too: it is built by this compiler, and checked by another in the test command.
  include: ['*.ts', resolve('src/main.ts'), resolve('src/**/*.d.ts')],
  exclude: [],
};

/** What `npm run contract` would write for the reader of docs/contract.md. */
const MESSAGES = `export interface Contract {
  requests: { 'chat.join': { data: { room: string }; reply: { members: number } } };
  events: { 'order.shipped': { id: string } };
  channels: { 'orders:*': { status: string } };
}`;

describe('code in the docs', () => {
  it('compiles as one module, in docs/extending.md, and block by block in docs/contract.md', async () => {
    await using folder = await temporaryFolder();
    await symlink(resolve('node_modules'), join(folder.path, 'node_modules'));
    await writeFile(join(folder.path, 'tour.ts'), blocksOf('docs/extending.md', 'ts').join('\n'));
    await writeFile(join(folder.path, 'messages.ts'), MESSAGES);
    for (const [number, block] of blocksOf('docs/contract.md', 'ts').entries())
      await writeFile(join(folder.path, `contract-${number}.ts`), block);
    await writeFile(join(folder.path, 'tsconfig.json'), JSON.stringify(CONFIGURATION));
    const { stdout } = await run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', folder.path]).catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout).toBe('');
  });

  it('is, in README.md, the very text of examples/poll.gateway.ts', () => {
    expect(blocksOf('README.md', 'ts')).toContain(read('examples/poll.gateway.ts'));
  });
});

function blocksOf(path: string, language: string): string[] {
  const blocks = read(path).matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'));
  return [...blocks].map(([, code = '']) => code);
}
