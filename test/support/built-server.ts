import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { build as esbuild } from 'esbuild';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../../config/settings.js';
import { spawnBound } from './bound-process.js';
import { BUNDLE, bundleServer } from './bundled-server.js';
import { childCoverage, countsChildren, endCounted } from './child-coverage/child-coverage.js';
import { onceARun } from './once-a-run.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A folder with the compiled server; `await using` removes it. */
export interface Build extends AsyncDisposable {
  readonly folder: string;
  /** Where files of features belong: there they import the modules that a server runs from. */
  readonly featuresFolder: string;
  /** The program of `npm run contract`. */
  readonly contract: string;
}

/**
 * Compiles the server. This project is compiled once a run.
 *
 * @param project the folder of another project of the same form
 */
export async function buildServer(project = ROOT): Promise<Build> {
  if (project !== ROOT) {
    await using alike = await buildServer();
    return passing(await compile(project, alike));
  }
  const shared = await onceARun('server', async (path) => rename(await compile(ROOT), path));
  return shared === undefined
    ? passing(await compile(ROOT))
    : { ...partsOf(shared), [Symbol.asyncDispose]: async () => {} };
}

/** A build that goes with whoever wanted it. */
function passing(folder: string): Build {
  return { ...partsOf(folder), [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

function partsOf(folder: string): Omit<Build, typeof Symbol.asyncDispose> {
  const bundle = join(folder, BUNDLE);
  // Statements are counted module by module.
  const isBundled = !countsChildren() && existsSync(bundle);
  const contract = isBundled ? join(bundle, 'contract.cjs') : join(folder, 'src', 'contract.js');
  return { folder, featuresFolder: isBundled ? bundle : folder, contract };
}

/**
 * File by file, which isolatedModules allows: a build of the whole took four times as long. It is checked elsewhere.
 *
 * @param alike a build of this project: what `project` has in common with it is taken from there
 */
async function compile(project: string, alike?: Build): Promise<string> {
  // Inside node_modules, so that the compiled files find their packages and nothing else finds them.
  const folder = await mkdtemp(join(ROOT, 'node_modules', '.gatehouse-build-'));
  if (alike !== undefined) {
    const filter = (path: string) => basename(path) !== BUNDLE;
    await cp(alike.folder, folder, { recursive: true, verbatimSymlinks: true, filter });
  } else {
    await symlink(join(ROOT, 'package.json'), join(folder, 'package.json'));
    // Where package.json says that `gatehouse` is.
    await symlink('.', join(folder, 'dist'));
  }
  for (const part of ['config', 'src']) {
    for (const file of await readdir(join(project, part), { recursive: true })) {
      // The scripts for Redis, which are read where they lie.
      if (file.endsWith('.lua')) await cp(join(project, part, file), join(folder, part, file));
      if (!file.endsWith('.ts') || file.endsWith('.d.ts')) continue;
      const source = await readFile(join(project, part, file), 'utf8');
      if (alike !== undefined && source === (await readFile(join(ROOT, part, file), 'utf8').catch(() => undefined)))
        continue;
      const target = join(folder, part, file.replace(/ts$/, 'js'));
      const { code, map } = await transpile(source, file);
      await write(target, code);
      if (countsChildren()) await write(`${target}.map`, JSON.stringify(map));
    }
  }
  if (alike === undefined) {
    await compileProtocol(folder);
    await compileClient(folder);
    await bundleServer(folder);
  }
  return folder;
}

/** Where the compiled files look for `@gatehouse/protocol` first, so that tests need no build of it. */
async function compileProtocol(folder: string): Promise<void> {
  const home = join(ROOT, 'packages', 'protocol');
  const target = join(folder, 'node_modules', '@gatehouse', 'protocol');
  for (const file of await readdir(join(home, 'src'))) {
    const source = await readFile(join(home, 'src', file), 'utf8');
    await write(join(target, 'dist', file.replace(/ts$/, 'js')), (await transpile(source, file)).code);
  }
  await cp(join(home, 'package.json'), join(target, 'package.json'));
}

/** What an edge node loads of the client library. */
async function compileClient(folder: string): Promise<void> {
  const home = join(ROOT, 'packages', 'client');
  const target = join(folder, 'node_modules', '@gatehouse', 'client');
  const entryPoints = ['index', 'msgpack'].map((name) => join(home, 'src', `${name}.ts`));
  const outdir = join(target, 'dist');
  await esbuild({
    entryPoints,
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'error',
  });
  await cp(join(home, 'package.json'), join(target, 'package.json'));
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

/** As Vitest does with the modules that it loads, at a twentieth of what TypeScript's own transpiler takes. */
async function transpile(source: string, fileName: string): Promise<{ code: string; map?: unknown }> {
  const { transformWithOxc } = await import('vite');
  return await transformWithOxc(source, fileName, {
    target: 'es2023',
    sourcemap: countsChildren(),
    decorator: { legacy: true, emitDecoratorMetadata: true },
  });
}

/** A machine that is busy with other tests makes no node overloaded. */
const UNDISTURBED = { PORT: '0', HOST: '127.0.0.1', LOG_FORMAT: 'json', OVERLOAD_EVENT_LOOP_LAG_MS: '0' };

/**
 * A feature shares its classes with the server, so that the server must run from the modules that the feature imports:
 * a bundle from those beside it. As process 1 it is what is published, since what it does first matters there. Statements are counted module by module.
 */
function entryOf(folder: string, { environment = {}, wrapper }: ProcessSetup): string {
  const bundle = join(folder, BUNDLE, 'main.cjs');
  const features = environment.FEATURES_FILE ?? '';
  const isForModules = isAbsolute(features) && !features.startsWith(join(folder, BUNDLE));
  const isWhole = countsChildren() || wrapper !== undefined || isForModules;
  return !isWhole && existsSync(bundle) ? bundle : join(folder, 'src', 'main.js');
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProcessSetup {
  readonly environment?: Environment;
  /** The command that starts Node, such as `unshare --pid --fork`. */
  readonly wrapper?: readonly string[];
}

/** A server in a process of its own, started as an operator would: with nothing but its environment. */
export class ServerProcess implements AsyncDisposable {
  output = '';
  errors = '';
  /** Resolves when the process has ended. */
  readonly ended: Promise<Ended>;
  private readonly child: ChildProcess;

  private constructor({ folder }: Pick<Build, 'folder'>, home: string, setup: ProcessSetup) {
    const { environment = {}, wrapper = [] } = setup;
    const [command, ...parameters] = [...wrapper, process.execPath, entryOf(folder, setup)];
    this.child = spawnBound(command, parameters, {
      cwd: home,
      env: { PATH: process.env.PATH, ...UNDISTURBED, ...childCoverage(), ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.on('data', (text: Buffer) => (this.output += text.toString()));
    this.child.stderr?.on('data', (text: Buffer) => (this.errors += text.toString()));
    this.ended = once(this.child, 'close').then(async ([code, signal]) => {
      await rm(home, { recursive: true, force: true });
      return { code: code as number | null, signal: signal as NodeJS.Signals | null };
    });
  }

  /** Starts it in an empty folder and returns at once. */
  static async start(build: Pick<Build, 'folder'>, environment: Environment = {}): Promise<ServerProcess> {
    return ServerProcess.startAs(build, { environment });
  }

  static async startAs(build: Pick<Build, 'folder'>, setup: ProcessSetup): Promise<ServerProcess> {
    return new ServerProcess(build, await mkdtemp(join(tmpdir(), 'gatehouse-')), setup);
  }

  /** Of the wrapper, where there is one. */
  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Resolves with the match once the process has written it to stdout; fails when it ends before. */
  async wrote(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.output);
      if (match) return match;
      const news = this.child.stdout ? once(this.child.stdout, 'data') : Promise.reject(new Error('no stdout'));
      const isOver = await Promise.race([news.then(() => false), this.ended.then(() => true)]);
      if (isOver) throw new Error(`It ended before it wrote ${pattern}: ${this.output}${this.errors}`);
    }
  }

  /** Resolves with the port once it listens. */
  async port(): Promise<number> {
    return Number((await this.wrote(/"port":(\d+),"msg":"Gatehouse listens"/))[1]);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (countsChildren()) await endCounted(this.child, this.ended);
    else this.child.kill('SIGKILL');
    await this.ended;
  }
}
