import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { onceARun } from './once-a-run.js';
import { temporaryFolder } from './temporary-folder.js';

const run = promisify(execFile);
const SOURCES = [
  'src',
  'config',
  'proto',
  'packages/protocol',
  'packages/client',
  'packages/console',
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
  '.env.example',
  'package.json',
  'nest-cli.json',
  'tsconfig.json',
  'tsconfig.build.json',
];
const TARBALL = 'gatehouse.tgz';
const PROTOCOL_TARBALL = 'protocol.tgz';

/** The package as `npm pack` makes it. `await using` removes it, unless the run shares it. */
export interface PackedPackage extends AsyncDisposable {
  readonly tarball: string;
  /** A folder with this package unpacked, and links to all others: nothing is asked of a registry. */
  readonly nodeModules: string;
}

/** Packs this project as `npm publish` would, once a run. */
export async function packedPackage(): Promise<PackedPackage> {
  const shared = await onceARun('package', async (path) => {
    await using folder = await temporaryFolder(resolve('node_modules'));
    const parts = join(folder.path, 'parts');
    await pack(parts);
    await rename(parts, path);
  });
  if (shared !== undefined) return { ...partsOf(shared), [Symbol.asyncDispose]: async () => {} };
  const folder = await temporaryFolder();
  await pack(folder.path);
  return { ...partsOf(folder.path), [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

function partsOf(folder: string): Pick<PackedPackage, 'tarball' | 'nodeModules'> {
  return { tarball: join(folder, TARBALL), nodeModules: join(folder, 'node_modules') };
}

async function pack(target: string): Promise<void> {
  // Not inside node_modules: the plugin of @nestjs/swagger leaves out answers whose classes are there.
  await using place = await temporaryFolder();
  const project = join(place.path, 'project');
  await mkdir(target, { recursive: true });
  for (const part of SOURCES) await cp(part, join(project, part), { recursive: true });
  await symlink(resolve('node_modules'), join(project, 'node_modules'));
  await leaveOutChecks(join(project, 'tsconfig.build.json'));
  const { scripts } = JSON.parse(await readFile(join(project, 'package.json'), 'utf8')) as { scripts: object };
  if (!('prepack' in scripts) || scripts.prepack !== 'npm run build') throw new Error('npm pack no longer builds');
  await run('npm', ['run', 'build'], { cwd: project });
  // npm would read the descriptions of all packages that are installed.
  await rm(join(project, 'node_modules'));
  await packFolders(project, target);
  await unpack(target);
}

/** The same files in half the time: `npm run check` has found the types right. */
async function leaveOutChecks(file: string): Promise<void> {
  const configuration = JSON.parse(await readFile(file, 'utf8')) as { compilerOptions: object };
  const compilerOptions = { ...configuration.compilerOptions, noCheck: true };
  await writeFile(file, JSON.stringify({ ...configuration, compilerOptions }));
}

/** The server and the first part of it, in one run of npm: without its scripts, which have run. */
async function packFolders(project: string, target: string): Promise<void> {
  const options = ['--json', '--loglevel=error', '--offline', '--ignore-scripts'];
  const { stdout } = await run('npm', ['pack', ...options, '.', './packages/protocol'], { cwd: project });
  const packed = JSON.parse(stdout) as readonly { readonly name: string; readonly filename: string }[];
  for (const { name, filename } of packed) {
    await cp(join(project, filename), join(target, name === 'gatehouse' ? TARBALL : PROTOCOL_TARBALL));
  }
}

/** As npm would install it. */
async function unpack(folder: string): Promise<void> {
  const { tarball, nodeModules } = partsOf(folder);
  await unpackTo(join(nodeModules, 'gatehouse'), tarball);
  await unpackTo(join(nodeModules, '@gatehouse', 'protocol'), join(folder, PROTOCOL_TARBALL));
  for (const name of await readdir('node_modules')) {
    if (!name.startsWith('.') && name !== '@gatehouse')
      await symlink(resolve('node_modules', name), join(nodeModules, name));
  }
}

async function unpackTo(folder: string, tarball: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', folder]);
}
