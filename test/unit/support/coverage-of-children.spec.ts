import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
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

const PROFILED = `
import { Session } from 'node:inspector/promises';
import { Session as Ended } from 'node:inspector';
const counting = new Session();
counting.connect();
await counting.post('Profiler.enable');
await counting.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
const chosen = (0, eval)('(function chosen(way) { if (way) return 1; return 2; }) //# sourceURL=file:///chosen.js');
chosen(false);
const profiling = new Ended();
profiling.connect();
profiling.post('Profiler.enable');
profiling.disconnect();
chosen(false);
const { result } = await counting.post('Profiler.takePreciseCoverage');
const [{ functions }] = result.filter(({ url }) => url === 'file:///chosen.js');
const { ranges } = functions.find(({ functionName }) => functionName === 'chosen');
process.stdout.write(JSON.stringify(ranges.map(({ count }) => count)));
`;

it('goes on in a process in which a session that used the profiler has ended', async () => {
  await using folder = await temporaryFolder();
  const source = await readFile(resolve('test/support/child-coverage/keep-counting.ts'), 'utf8');
  const keepCounting = join(folder.path, 'keep-counting.mjs');
  await writeFile(keepCounting, (await transformWithOxc(source, 'keep-counting.ts')).code);
  await writeFile(join(folder.path, 'profiled.mjs'), PROFILED);
  const parameters = ['--import', keepCounting, join(folder.path, 'profiled.mjs')];
  // Two calls, and the statement that neither ran.
  expect(execFileSync(process.execPath, parameters, { encoding: 'utf8' })).toBe('[2,0]');
  // Without it, V8 forgets what it has counted.
  expect(execFileSync(process.execPath, parameters.slice(2), { encoding: 'utf8' })).not.toBe('[2,0]');
});
