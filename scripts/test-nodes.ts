/**
 * `npm run test:nodes`: runs the quick set of tests on other versions of Node, whose binaries come from npm. Arguments go to
 * Vitest instead: `npm run test:nodes -- --config vitest.config.ts` runs every test.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';

const VERSIONS = ['22', '24'];
const QUICK_SET = ['--config', 'vitest.quick.config.ts'];
/** Kept until the next `npm ci`. */
const FOLDER = resolve('node_modules', '.node-versions');

/** Returns the path of the binary of a version. Installs it when it is asked for the first time. */
function binaryOf(version: string): string {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const name = `node-${platform}-${process.arch}`;
  const folder = join(FOLDER, version);
  const binary = join(folder, 'node_modules', name, 'bin', 'node');
  if (existsSync(binary)) return binary;
  mkdirSync(folder, { recursive: true });
  run('npm', ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', `${name}@${version}`]);
  if (!existsSync(binary)) throw new Error(`npm has no package ${name}@${version} with a binary`);
  return binary;
}

/** Returns whether it succeeded. */
function run(command: string, parameters: string[], environment: NodeJS.ProcessEnv = {}): boolean {
  const env = { ...process.env, ...environment };
  return spawnSync(command, parameters, { stdio: 'inherit', env }).status === 0;
}

function passesOn(version: string, parameters: string[]): boolean {
  const binary = binaryOf(version);
  const { stdout } = spawnSync(binary, ['--version'], { encoding: 'utf8' });
  console.log(`\nOn Node ${stdout.trim()}`);
  // The tests start processes by `node` as well.
  const PATH = `${dirname(binary)}${delimiter}${process.env.PATH ?? ''}`;
  return run(binary, [join('node_modules', 'vitest', 'vitest.mjs'), 'run', ...parameters], { PATH });
}

const given = process.argv.slice(2);
const failed = VERSIONS.filter((version) => !passesOn(version, given.length > 0 ? given : QUICK_SET));
for (const version of failed) console.error(`The tests failed on Node ${version}`);
if (failed.length > 0) process.exitCode = 1;
