import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { build, type Plugin } from 'esbuild';

export const BUNDLE = 'bundle';

/** They start workers or read files beside their own modules, or only a few servers need them. */
const NOT_BUNDLED = [
  'swagger-ui-dist',
  'swagger-ui-dist/*',
  'undici',
  'opossum',
  'pg',
  'classic-level',
  'kafkajs',
  '@nats-io/*',
];

/** Nest loads them only for those who use them. */
const ABSENT = [
  '@fastify/*',
  '@nestjs/microservices',
  '@nestjs/microservices/*',
  '@nestjs/platform-socket.io',
  'class-transformer/storage',
];

/** Set for the one run that writes down what V8 has compiled. */
const COMPILING = 'GATEHOUSE_TEST_COMPILING';

/** What files of features import. They get what the server of the bundle runs from, so that both have the same classes. */
const SHARED = [
  'gatehouse',
  '@nestjs/common',
  '@nestjs/core',
  '@nestjs/websockets',
  'class-transformer',
  'class-validator',
  'rxjs',
];

/** Runs the bundle with what V8 compiled of it before. Node 20 does that by itself for no program. */
const LOADER = `
const { readFileSync, writeFileSync, existsSync } = require('node:fs');
const { wrap } = require('node:module');
const { Script } = require('node:vm');
const { setFlagsFromString } = require('node:v8');
const filename = require('node:path').join(__dirname, 'server.cjs');
const cache = filename + '.cache';
globalThis.importOfBundle = (name) => import(name);
// The heap of a worker has its size by now. With a flag that it had not then, V8 would refuse what it compiled.
if (process.execArgv.some((flag) => flag.startsWith('--max-old-space-size'))) setFlagsFromString('--max-old-space-size=0');
const cachedData = existsSync(cache) ? readFileSync(cache) : undefined;
const script = new Script(wrap(readFileSync(filename, 'latin1')), { filename, cachedData });
if (process.env.${COMPILING}) process.on('exit', () => writeFileSync(cache, script.createCachedData()));
script.runInThisContext()(exports, require, module, filename, __dirname);
if (process.env.${COMPILING}) void writeNames();
async function writeNames() {
  const names = {};
  for (const [name, load] of Object.entries(packagesOfBundle)) names[name] = Object.keys(await load());
  writeFileSync(filename + '.names', JSON.stringify(names));
}
`;

/**
 * Bundles a compiled server. To find, read and compile 1,900 modules took 2.4 s of processor time each time a process
 * started. Of the bundle it takes 1.1 s, and half of that with what V8 has compiled.
 *
 * @param folder the compiled server. What it loads at run time, such as scripts for Redis, is read from here
 * @returns the program
 */
export async function bundleServer(folder: string): Promise<string> {
  const main = await readFile(join(folder, 'src', 'main.js'), 'utf8');
  await build({
    // A CommonJS module cannot wait before it is loaded, and nobody waits for it.
    stdin: { contents: main.replace(/^const \{ run \} = await[^]*/m, WITHOUT_AWAIT), resolveDir: join(folder, 'src') },
    outfile: join(folder, BUNDLE, 'server.cjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20.19',
    // Nest names providers and log contexts by class.
    keepNames: true,
    // Half as much to read. The names stay, for readers of stacks.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    alias: { gatehouse: join(folder, 'src', 'public.js') },
    external: [...NOT_BUNDLED, ...ABSENT],
    define: { 'import.meta.url': 'urlOfBundle' },
    banner: { js: `const urlOfBundle = require('node:url').pathToFileURL(__filename).href;` },
    plugins: [filesWhereTheyWere(folder)],
    logLevel: 'error',
  });
  await adapt(join(folder, BUNDLE, 'server.cjs'));
  const program = join(folder, BUNDLE, 'main.cjs');
  await writeFile(program, LOADER);
  await writeFile(join(folder, BUNDLE, 'contract.cjs'), `globalThis.isContract = true;\nrequire('./main.cjs');\n`);
  await runOnce(program);
  await shareModules(join(folder, BUNDLE));
  return program;
}

const WITHOUT_AWAIT = `
globalThis.packagesOfBundle = { ${SHARED.map((name) => `'${name}': () => import('${name}')`).join(', ')} };
if (globalThis.isContract) void import('./contract.js');
else void import('./run.js').then(({ run }) => run(signals));
`;

/** Modules beside the bundle that have what its own have, for files of features in the same folder. */
async function shareModules(folder: string): Promise<void> {
  // Otherwise `gatehouse` would be the package that the folder is in.
  await writeFile(join(folder, 'package.json'), '{}');
  const all = JSON.parse(await readFile(join(folder, 'server.cjs.names'), 'utf8')) as Record<string, string[]>;
  for (const [name, names] of Object.entries(all)) {
    const home = join(folder, 'node_modules', name);
    await mkdir(home, { recursive: true });
    await writeFile(join(home, 'package.json'), '{"type":"module","exports":"./index.js"}');
    const named = names.filter((each) => each !== 'default').join(', ');
    await writeFile(join(home, 'index.js'), `export const { ${named} } = await packagesOfBundle['${name}']();\n`);
  }
}

/** What esbuild makes of `import ... from` a CommonJS module: a view of all its exports, once for each of 700 such lines. */
const VIEW_OF_MODULE = 'var __toESM=(mod,isNodeMode,target3)=>(';
const ONE_VIEW_A_MODULE = `
const viewsOfModules = [new Map(), new Map()];
function __toESM(mod, isNodeMode) {
  const views = viewsOfModules[isNodeMode ? 1 : 0];
  if (!views.has(mod)) views.set(mod, newViewOf(mod, isNodeMode));
  return views.get(mod);
}
var newViewOf=(mod,isNodeMode,target3)=>(`;

async function adapt(bundle: string): Promise<void> {
  const text = await readFile(bundle, 'utf8');
  if (!text.includes(VIEW_OF_MODULE)) throw new Error('esbuild writes another __toESM than it did');
  // Code that V8 had compiled before cannot import() modules by itself.
  const imports = text.replaceAll(/(?<![\w.$])import\(/g, 'importOfBundle(');
  await writeFile(bundle, imports.replace(VIEW_OF_MODULE, ONE_VIEW_A_MODULE));
}

/** From its start to its end, so that V8 has compiled what every server needs. */
async function runOnce(program: string): Promise<void> {
  const settings = { PORT: '0', HOST: '127.0.0.1', NODE_ENV: 'test', LOG_FORMAT: 'json', AUTH_MODE: 'off' };
  const child = spawn(process.execPath, [program], {
    env: { PATH: process.env.PATH, ...settings, [COMPILING]: 'on' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.on('data', (text: Buffer) => {
    if (text.includes('Gatehouse listens')) child.kill('SIGTERM');
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`The bundle does not run: it ended with ${code}`);
}

/** Modules of the server keep their own address, by which they find files. */
function filesWhereTheyWere(folder: string): Plugin {
  return {
    name: 'files where they were',
    setup(bundler) {
      bundler.onLoad({ filter: /\.js$/ }, async ({ path }) => {
        if (!path.startsWith(join(folder, 'src')) && !path.startsWith(join(folder, 'config'))) return undefined;
        // Of a module in the folder of the bundle: the whole build may move.
        const way = join('..', relative(folder, path));
        const contents = (await readFile(path, 'utf8'))
          .replaceAll('import.meta.url', `new URL(${JSON.stringify(way)}, urlOfBundle).href`)
          .replaceAll('import.meta.dirname', `new URL(${JSON.stringify(dirname(way))}, urlOfBundle).pathname`)
          .replace(/process\.exit\(await (main\(\)[^]*)\);/, 'void $1.then((code) => process.exit(code));');
        return { contents, loader: 'js' };
      });
    },
  };
}
