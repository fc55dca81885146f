import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { transformWithOxc } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { coverageOfChildren } from '../../support/child-coverage/coverage-of-children.js';
import { temporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.js';

const SOURCE = `
function chosen(way: string): string {
  if (way === 'left') return 'went left';
  return 'went right';
}
process.stdout.write(chosen(process.argv[2] ?? ''));
`;

describe('coverage of processes that tests start', () => {
  let build: string;
  let coverage: TemporaryFolder;
  beforeAll(async () => {
    build = await mkdtemp(resolve('node_modules', '.gatehouse-build-'));
    coverage = await temporaryFolder();
    await mkdir(join(build, 'src'));
    const { code, map } = await transformWithOxc(SOURCE, 'choice.ts', { sourcemap: true });
    await writeFile(join(build, 'src', 'choice.js'), code);
    await writeFile(join(build, 'src', 'choice.js.map'), JSON.stringify(map));
  });
  afterAll(async () => {
    await coverage[Symbol.asyncDispose]();
    await rm(build, { recursive: true });
  });

  const choose = (way: string): string =>
    execFileSync(process.execPath, [join(build, 'src', 'choice.js'), way], {
      env: { NODE_V8_COVERAGE: coverage.path },
      encoding: 'utf8',
    });

  /** How often the statements of a line ran. */
  async function countsOfLine(line: number): Promise<number[]> {
    const file = (await coverageOfChildren(coverage.path, '/root')).get('/root/src/choice.ts');
    const statements = Object.entries(file?.statementMap ?? {}).filter(([, { start }]) => start.line === line);
    return statements.map(([id]) => file?.s[id] ?? NaN);
  }

  it('adds what each process ran, by the lines of the source', async () => {
    expect(choose('right')).toBe('went right');
    expect(await countsOfLine(3)).toEqual([1, 0]);
    expect(await countsOfLine(4)).toEqual([1]);
    expect(choose('left')).toBe('went left');
    expect(await countsOfLine(3)).toEqual([2, 1]);
  });

  it('leaves out what a killed process did not finish', async () => {
    choose('right');
    await writeFile(join(coverage.path, 'coverage-1-1-0.json'), '{"result":[{"url":"fi');
    expect(await countsOfLine(4)).not.toEqual([]);
  });
});
