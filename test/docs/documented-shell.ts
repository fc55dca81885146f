import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { spawnBound } from '../support/bound-process.js';
import { buildServer } from '../support/built-server.js';
import { BUNDLE } from '../support/bundled-server.js';
import { freePort } from '../support/free-port.js';
import { packedPackage } from '../support/packed-package.js';
import { isServer, type ShellBlock } from './shell-blocks.js';

const NOT_COPIED = new Set(['node_modules', '.git', 'dist', '.gatehouse', 'coverage']);
/** Ports of the docs: others take their place, since these may be taken here. */
const PORTS = ['8080', '8081', '8082', '6379'];

/**
 * Packages and the build are there already, and packages for development must stay. The first token comes from npm as
 * written. The next ones come from the same program of the package, which takes a fifth of the processor time.
 */
const npmStandIn = (token: string): string => `case "$*" in
  ci*|prune*|'run build') exit 0;;
  start) exec "$REAL_NPM" start --ignore-scripts;;
  'run -s token -- '*) mkdir "$0.token" 2>/dev/null || { shift 4; exec node "${token}" "$@"; };;
esac
exec "$REAL_NPM" "$@"
`;
/** The registry cannot be reached from a test. */
const NPX = `[ "$2" = wscat ] && shift 2 && exec node "${resolve('test/docs/wscat-stand-in.mjs')}" "$@"\nexit 127\n`;

const PRELUDE = `
set -em -o pipefail
stop() { if [ -n "$server" ]; then kill -TERM -- "-$server"; wait "$server" || true; server=; fi; }
trap 'stop; kill -TERM -- $(jobs -p | sed "s/^/-/") 2>/dev/null || true' EXIT
`;

export interface Ran {
  readonly code: number | null;
  readonly output: string;
  /** What stood in the documents as port of Redis. */
  readonly redisPort: string;
}

/** A copy of the project in which the commands of a document run, so that they change nothing in this one. */
export class PrivateCopy implements AsyncDisposable {
  private constructor(readonly folder: string) {}

  static async make(): Promise<PrivateCopy> {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-docs-'));
    const project = join(folder, 'gatehouse');
    await cp('.', project, { recursive: true, filter: (path) => !NOT_COPIED.has(basename(path)) });
    await symlink(resolve('node_modules'), join(project, 'node_modules'));
    // `npm pack` builds with `npm run build`.
    await using packed = await packedPackage();
    await cp(join(packed.nodeModules, 'gatehouse', 'dist'), join(project, 'dist'), { recursive: true });
    await cp(join(packed.nodeModules, '@gatehouse', 'protocol', 'dist'), join(project, 'packages/protocol/dist'), {
      recursive: true,
    });
    await quicken(join(project, 'dist', 'src'), join(project, 'config', 'channels.yaml'));
    await mkdir(join(folder, 'bin'));
    await program(join(folder, 'bin/npm'), npmStandIn(join(packed.nodeModules, 'gatehouse/dist/src/token.js')));
    await program(join(folder, 'bin/npx'), NPX);
    return new PrivateCopy(folder);
  }

  /** Runs blocks in one shell, each as it is written but for the ports. */
  async run(blocks: readonly ShellBlock[]): Promise<Ran> {
    const ports = new Map<string, string>();
    for (const port of PORTS) ports.set(port, String(await freePort()));
    const onFreePorts = (text: string): string =>
      text.replace(/\b(?:8080|8081|8082|6379)\b/g, (port) => ports.get(port) ?? port);
    const script = [PRELUDE, ...blocks.map((block) => onFreePorts(commandsOf(block)))].join('\n');
    await writeFile(join(this.folder, 'script.sh'), script);
    const path = `${join(this.folder, 'bin')}:${process.env.PATH ?? ''}`;
    const child = spawnBound('bash', [join(this.folder, 'script.sh')], {
      cwd: join(this.folder, 'gatehouse'),
      env: { PATH: path, REAL_NPM: realNpm(), HOME: this.folder, SERVER_ID: 'node-1', PORT: ports.get('8080') },
      stdio: ['ignore', 'pipe', 'pipe'],
      deathSignal: 'TERM',
    });
    let output = '';
    child.stdout?.on('data', (text: Buffer) => (output += text.toString()));
    child.stderr?.on('data', (text: Buffer) => (output += text.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, output, redisPort: ports.get('6379') ?? '' };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}

/**
 * A server stays in the background until another one is started, as it stays in the reader's first terminal. The log of
 * that one would say at once that it listens.
 */
function commandsOf(block: ShellBlock): string {
  const title = `echo '== ${block.path}:${block.line}'`;
  if (!isServer(block)) return `${title}\n${block.code.split('\n').map(mayFail).join('\n')}`;
  return `${title}
stop
rm -f server.log
(
${block.code}) > server.log 2>&1 &
server=$!
until grep -qs 'Gatehouse listens' server.log; do
  kill -0 "$server" 2>/dev/null || { cat server.log; exit 1; }
  sleep 0.2
done`;
}

/** A line whose comment says "or 404" may be answered so: curl says 22 then. */
function mayFail(line: string): string {
  return line.replace(/^(.*?\S)(\s+#.*\bor [45]\d\d\b.*)$/, '$1 || [ $? -eq 22 ]$2');
}

/** A bundle of the same server starts in half the time. A file of features needs the modules that it imports. */
async function quicken(folder: string, channelsFile: string): Promise<void> {
  const { folder: build } = await buildServer();
  const bundle = pathToFileURL(join(build, BUNDLE, 'main.cjs')).href;
  await rename(join(folder, 'main.js'), join(folder, 'whole-main.js'));
  const main = `if (process.env.FEATURES_FILE) await import('./whole-main.js');
else {
  process.env.CHANNELS_FILE ??= ${JSON.stringify(channelsFile)};
  await import(${JSON.stringify(bundle)});
}`;
  await writeFile(join(folder, 'main.js'), main);
}

async function program(path: string, text: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\n${text}`);
  await chmod(path, 0o755);
}

/** The program behind the stand-in of the same name. */
function realNpm(): string {
  return spawnSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).stdout.trim();
}
