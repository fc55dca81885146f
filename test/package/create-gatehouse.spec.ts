import { validate } from 'dockerfile-utils';
import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestClient } from '../../src/testing/test-client.js';
import { copyOf, parseDockerfile } from '../deploy/dockerfile.js';
import { brokenRules } from '../deploy/dockerfile-rules.js';
import { freePort } from '../support/free-port.js';
import { packedPackage, type PackedPackage } from '../support/packed-package.js';
import { runProgram, startProgram, type ProgramResult } from '../support/run-program.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const run = promisify(execFile);
const PACKAGE = 'packages/create-gatehouse';
const FILES = [
  '.dockerignore',
  '.env',
  '.gitignore',
  'Dockerfile',
  'README.md',
  'package.json',
  'src/features.ts',
  'src/gateways/greeting/greeting.gateway.test.ts',
  'src/gateways/greeting/greeting.gateway.ts',
  'src/gateways/greeting/greeting.messages.ts',
  'src/gateways/greeting/greeting.module.ts',
  'tsconfig.json',
];

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let tarball: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  const { stdout } = await run('npm', ['pack', '--json', '--offline', `--pack-destination=${folder.path}`], {
    cwd: PACKAGE,
  });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  tarball = join(folder.path, filename);
});
afterAll(() => folder?.[Symbol.asyncDispose]());

/** What `npm create gatehouse` runs, with the package from the registry. */
function create(...parameters: string[]): Promise<ProgramResult> {
  const npm = ['exec', '--yes', '--offline', `--package=file:${tarball}`, '--', 'create-gatehouse', ...parameters];
  const environment = { npm_config_cache: join(folder.path, 'cache'), npm_config_update_notifier: 'false' };
  return runProgram('npm', npm, { cwd: folder.path, environment });
}

/** Without npm, which takes a second to start. */
function createFast(...parameters: string[]): Promise<ProgramResult> {
  const program = resolve(PACKAGE, 'create-gatehouse.js');
  return runProgram(process.execPath, [program, ...parameters], { cwd: folder.path });
}

describe('npm create gatehouse', () => {
  it('makes a project of the given name, and says what to do next', async () => {
    const { code, output, errors } = await create('my-app');
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(output).toBe('Created my-app. Next:\n\n  cd my-app\n  npm install\n  npm start\n');
    const project = join(folder.path, 'my-app');
    const entries = await readdir(project, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(project.length + 1));
    expect(files.toSorted()).toEqual(FILES);
    for (const file of FILES) expect(await readFile(join(project, file), 'utf8')).not.toContain('{{');
    expect(JSON.parse(await readFile(join(project, 'package.json'), 'utf8'))).toMatchObject({ name: 'my-app' });
  });

  it('makes it in the folder that it runs in, even if that is a repository', async () => {
    await mkdir(join(folder.path, 'here', '.git'), { recursive: true });
    const program = resolve(PACKAGE, 'create-gatehouse.js');
    const made = await runProgram(process.execPath, [program, '.'], { cwd: join(folder.path, 'here') });
    expect(made).toEqual({ code: 0, output: 'Created here. Next:\n\n  npm install\n  npm start\n', errors: '' });
  });

  it('refuses a folder that is not empty, and leaves it alone', async () => {
    await mkdir(join(folder.path, 'full'));
    await writeFile(join(folder.path, 'full', 'notes.txt'), 'mine');
    const { code, errors } = await createFast('full');
    expect(code).toBe(1);
    expect(errors).toContain('full is not empty: there is notes.txt. Name another folder, or empty this one');
    expect(await readdir(join(folder.path, 'full'))).toEqual(['notes.txt']);
  });

  it('refuses a path that is a file', async () => {
    await writeFile(join(folder.path, 'file'), '');
    const { code, errors } = await createFast('file');
    expect(code).toBe(1);
    expect(errors).toMatch(/file cannot be written: /);
  });

  it.each(['My-App', 'my app', '-app', '.app', 'node_modules', 'é', 'a'.repeat(215)])(
    'refuses the name "%s"',
    async (name) => {
      const { code, errors } = await createFast('--', name);
      expect(code).toBe(2);
      expect(errors).toContain('cannot be the name of a package');
      expect(await readdir(folder.path)).not.toContain(name);
    },
  );

  it('refuses no folder, two folders and unknown options, and prints its usage', async () => {
    for (const parameters of [[], ['one', 'two'], ['--typo']]) {
      const { code, output, errors } = await createFast(...parameters);
      expect({ code, output }).toEqual({ code: 2, output: '' });
      expect(errors).toContain('Usage: npm create gatehouse <folder>');
    }
  });

  it('prints its usage for --help, and its version for --version', async () => {
    expect(await createFast('--help')).toMatchObject({ code: 0, output: expect.stringContaining('Usage: npm create') });
    const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
    expect(await createFast('--version')).toMatchObject({ code: 0, output: `${version}\n` });
  });
});

describe('the project', () => {
  let packed: PackedPackage;
  let project: string;
  beforeAll(async () => {
    packed = await packedPackage();
    await createFast('app');
    project = join(folder.path, 'app');
    await install(packed, project);
  });
  afterAll(() => packed?.[Symbol.asyncDispose]());

  const npm = (...parameters: string[]): Promise<ProgramResult> => runProgram('npm', parameters, { cwd: project });
  /** What `npm run generate` has run once, without the half second that npm takes. */
  const generateFast = (...parameters: string[]): Promise<ProgramResult> =>
    runProgram(join(project, 'node_modules/.bin/gatehouse'), ['generate', ...parameters], { cwd: project });

  it('passes its tests at once, and those of a gateway that it generates', async () => {
    const generated = await npm('run', '--silent', 'generate', '--', 'gateway', 'live-poll');
    expect(generated).toMatchObject({ code: 0, errors: '' });
    const { code, output } = await npm('test');
    expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
    expect(output).toContain('greeting.send answers the sender and tells everyone else');
    expect(output).toContain('live_poll.say answers with the text and its author');
    expect(output).toMatch(/^(?:#|ℹ) pass 4$/m);
    const again = await generateFast('gateway', 'live-poll');
    expect(again).toMatchObject({ code: 1, errors: expect.stringContaining('live-poll exists already') });
    const invalid = await generateFast('gateway', 'Live');
    expect(invalid).toMatchObject({ code: 2, errors: expect.stringContaining('cannot be the name of a gateway') });
  });

  it('starts a server with its gateways, for which it prints tokens', async () => {
    const port = await freePort();
    const environment = { PORT: String(port), OVERLOAD_EVENT_LOOP_LAG_MS: '0' };
    // What `npm test` has built: to build the same again takes seconds.
    const { scripts } = JSON.parse(await readFile(join(project, 'package.json'), 'utf8')) as Manifest;
    expect(scripts).toMatchObject({ prestart: 'npm run build', pretest: 'npm run build' });
    await using server = startProgram('npm', ['start', '--ignore-scripts'], { cwd: project, environment });
    await server.wrote(/Gatehouse listens/);
    const { output: token } = await npm('run', '--silent', 'token', '--', '--sub', 'ada');
    await using ada = await TestClient.connect(`ws://127.0.0.1:${port}/ws`, token.trim());
    expect(await ada.request('hello')).toMatchObject({ userId: 'ada' });
    expect(await ada.request('greeting.send', { name: 'Ben' })).toEqual({ text: 'Hello, Ben!' });
  });

  it('has an image that keeps the rules of ours, and a build context with no more than it copies', async () => {
    const dockerfile = await readFile(join(project, 'Dockerfile'), 'utf8');
    expect(validate(dockerfile)).toEqual([]);
    expect(brokenRules(dockerfile)).toEqual([]);
    const copied = parseDockerfile(dockerfile)
      .filter(({ name }) => name === 'COPY')
      .map(copyOf)
      .filter(({ from }) => from === undefined)
      .flatMap(({ sources }) => sources);
    const ignore = (await readFile(join(project, '.dockerignore'), 'utf8')).split('\n');
    const named = ignore.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    expect(ignore).toContain('*');
    expect([...new Set(copied)].toSorted()).toEqual(named.toSorted());
  });

  it('asks for the versions that the package asks for', async () => {
    const { dependencies } = JSON.parse(await readFile(join(project, 'package.json'), 'utf8')) as Manifest;
    const { version, peerDependencies } = JSON.parse(await readFile('package.json', 'utf8')) as Manifest;
    const expected = { ...peerDependencies, gatehouse: `^${version}` } as Record<string, string>;
    expect(dependencies).toEqual(Object.fromEntries(Object.keys(dependencies).map((name) => [name, expected[name]])));
  });
});

interface Manifest {
  readonly version: string;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

/** What `npm install` leaves behind, without a registry. */
async function install({ nodeModules }: PackedPackage, project: string): Promise<void> {
  await mkdir(join(project, 'node_modules', '.bin'), { recursive: true });
  for (const name of await readdir(nodeModules)) {
    await symlink(join(nodeModules, name), join(project, 'node_modules', name));
  }
  const bins = { gatehouse: 'gatehouse/dist/src/cli.js', tsc: 'typescript/bin/tsc' };
  for (const [name, path] of Object.entries(bins)) {
    await symlink(join(nodeModules, path), join(project, 'node_modules', '.bin', name));
  }
  await chmod(join(nodeModules, bins.gatehouse), 0o755);
}
