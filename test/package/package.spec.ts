import * as attw from '@arethetypeswrong/core';
import { execFile } from 'node:child_process';
import { readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiReport, differenceOf, REPORT, type ApiReport } from '../../scripts/public-api.js';
import { codeBlocks, read } from '../docs/markdown.js';
import { packedPackage, type PackedPackage } from '../support/packed-package.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';
import { runProgram, type ProgramResult } from '../support/run-program.js';
import { TEST_SECRET } from '../support/test-server.js';

const run = promisify(execFile);

let packed: PackedPackage;
beforeAll(async () => void (packed = await packedPackage()));
afterAll(() => packed?.[Symbol.asyncDispose]());

const EXPECTED_FILES = [
  'LICENSE',
  'README.md',
  'CHANGELOG.md',
  '.env.example',
  'package.json',
  'config/channels.yaml',
  'proto/gatehouse/v2/envelope.proto',
  'dist/src/cli.js',
  'dist/console/console.css',
  'dist/console/console.js',
  'dist/console/index.html',
  'dist/src/main.js',
  'dist/src/public.js',
  'dist/src/public.js.map',
  'dist/src/public.d.ts',
  'dist/src/testing/testing.d.ts',
];

/** What a reader who starts with `tsc --init --strict` has, and the decorators that Nest needs. */
const CONFIGURATION = {
  compilerOptions: {
    module: 'nodenext',
    target: 'ES2023',
    lib: ['ES2023', 'ESNext.Disposable'],
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    skipLibCheck: true,
  },
  include: ['*.ts'],
};

/** What `npm run contract` would write for the reader of docs/contract.md. */
const MESSAGES = `export interface Contract {
  requests: { 'chat.join': { data: { room: string }; reply: { members: number } } };
  events: { 'order.shipped': { id: string } };
  channels: { 'orders:*': { status: string } };
}`;

/** Shows that the compiler finds faults. */
const WRONG = `import { sessionOf } from 'gatehouse';\nexport const wrong: number = sessionOf;\n`;

const MAIN = `import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GatehouseModule, installGatehouse } from 'gatehouse';
import { startTestServer, TestClient } from 'gatehouse/testing';
import PollModule from './poll.gateway.js';

@Module({ imports: [GatehouseModule.forRoot({ settings: { LOG_LEVEL: 'error', AUDIT_LOG: 'off' } }), PollModule] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ['error'] });
await installGatehouse(app);
await app.listen(0, '127.0.0.1');
const { port } = app.getHttpServer().address() as { port: number };

await using other = await startTestServer({ features: [PollModule] });
await using client = await other.connect({ sub: 'ada' });
await client.request('subscribe', { channel: 'feed:poll' });
const votes = await client.request<{ tea: number }>('poll.vote', { choice: 'tea' });
const { from } = await client.next('message');

await using guest = await TestClient.connect(\`ws://127.0.0.1:\${port}/ws\`, other.mintToken());
const reply = await guest.request<{ coffee: number }>('poll.vote', { choice: 'coffee' });
const health = (await fetch(\`http://127.0.0.1:\${port}/gatehouse/health\`)).status;
process.stdout.write(JSON.stringify({ tea: votes.tea, from: from?.userId, coffee: reply.coffee, health }) + '\\n');
await app.close();
`;

describe('the package', () => {
  it('holds what runs, its types and its source maps, and no files of the development', async () => {
    const { stdout } = await run('tar', ['-tzf', packed.tarball]);
    const files = stdout.trim().split('\n');
    expect(EXPECTED_FILES.filter((file) => !files.includes(`package/${file}`))).toEqual([]);
    const places = new Set(files.map((file) => file.split('/').slice(1, 3).join('/')));
    const known =
      /^(LICENSE|\.env\.example|README\.md|CHANGELOG\.md|package\.json|config\/channels\.yaml|proto\/gatehouse|dist\/(src|config|console))$/;
    expect([...places].filter((place) => !known.test(place))).toEqual([]);
    expect(files.filter((file) => /\.(spec|test)\.|(?<!\.d)\.ts$|tsbuildinfo/.test(file))).toEqual([]);
  });

  it('holds every script for Redis', async () => {
    const { stdout } = await run('tar', ['-tzf', packed.tarball]);
    const scripts = (await readdir('src/cluster/redis/lua')).map(
      (name) => `package/dist/src/cluster/redis/lua/${name}`,
    );
    expect(
      stdout
        .split('\n')
        .filter((file) => file.endsWith('.lua'))
        .toSorted(),
    ).toEqual(scripts.toSorted());
  });

  it('passes publint', async () => {
    const bytes = await readFile(packed.tarball);
    const { messages } = await publint({ pack: { tarball: Uint8Array.from(bytes).buffer }, strict: true });
    expect(messages).toEqual([]);
  });

  it('has types wherever an ES module may import it', async () => {
    const checked = await attw.checkPackage(
      foldersKept(attw.createPackageFromTarballData(await readFile(packed.tarball))),
    );
    if (!checked.types) throw new Error('The package has no types');
    // The node10 resolution knows no exports, and require() of an ES module works in newer versions of Node.
    const isExpected = (problem: attw.Problem): boolean =>
      problem.kind === 'CJSResolvesToESM' || ('resolutionKind' in problem && problem.resolutionKind === 'node10');
    expect(checked.problems.filter((problem) => !isExpected(problem))).toEqual([]);
  });

  describe('in a project of its own', () => {
    let app: TemporaryFolder;
    let compilerErrors: string;
    let ran: ProgramResult;
    beforeAll(async () => {
      const [code = '', ofTest = ''] = read('docs/extending.md').split('\n## Testing\n');
      const contract = codeBlocks(read('docs/contract.md'), 'ts');
      // Compiled together, because most of the time goes into reading declarations.
      app = await appWith({
        'main.ts': MAIN,
        'poll.gateway.ts': read('examples/poll.gateway.ts'),
        'tour.ts': codeBlocks(code, 'ts').join('\n'),
        'tour.test.ts': codeBlocks(ofTest, 'ts').join('\n'),
        'messages.ts': MESSAGES,
        ...Object.fromEntries(contract.map((block, number) => [`contract-${number}.ts`, block])),
        'wrong.ts': WRONG,
      });
      compilerErrors = await compilerErrorsOf(app.path);
      // A busy machine makes no node overloaded.
      const environment = { JWT_SECRET: TEST_SECRET, OVERLOAD_EVENT_LOOP_LAG_MS: '0' };
      // One after the other in one process: to load the package takes two seconds of processor time.
      ran = await runProgram(process.execPath, ['--import', './main.js', 'tour.test.js'], {
        cwd: app.path,
        environment,
      });
    });
    afterAll(() => app?.[Symbol.asyncDispose]());

    it('compiles under strict: a gateway with one import, and the code of docs/extending.md and docs/contract.md', () => {
      expect(compilerErrors.trim().split('\n')).toEqual([
        expect.stringMatching(/wrong\.ts\(2,14\): error TS2322: .* is not assignable to type 'number'\.$/),
      ]);
    });

    it('serves the gateway in a host application and in a test', () => {
      expect(ran.errors).toBe('');
      expect(JSON.parse(ran.output.split('\n')[0] ?? '')).toEqual({ tea: 1, from: 'ada', coffee: 1, health: 200 });
    });

    it('passes the test of docs/extending.md', () => {
      expect({ code: ran.code, output: ran.code === 0 ? '' : ran.output }).toEqual({ code: 0, output: '' });
      expect(ran.output).toMatch(/^(?:#|ℹ) pass 3$/m);
    });
  });
});

describe('docs/api-report.md', () => {
  let generated: ApiReport;
  let committed: string;
  beforeAll(async () => {
    generated = await apiReport(join(packed.nodeModules, 'gatehouse', 'dist'));
    committed = await readFile(REPORT, 'utf8');
  });

  it('is what `npm run api:report` writes', () => {
    expect(differenceOf(committed, generated.report)).toBeUndefined();
  });

  it('would tell a change of the public door, and what to do about it', () => {
    const changed = committed.replace('toUser(userId: string): Audience<C>;', 'toUser(): Audience<C>;');
    expect(differenceOf(committed, changed)).toBe(
      'The public door has changed. Review the change, run `npm run api:report`, and commit docs/api-report.md.\n' +
        '-   toUser(userId: string): Audience<C>;\n' +
        '+   toUser(): Audience<C>;',
    );
  });

  it('describes only names that have a doc comment', () => {
    expect(generated.undocumented).toEqual([]);
  });
});

/** Looks for each folder once: it goes through all files of the package, and is asked 7,000 times about 300 folders. */
function foldersKept(files: attw.Package): attw.Package {
  const found = new Map<string, boolean>();
  const look = files.directoryExists.bind(files);
  files.directoryExists = (path) => {
    const isThere = found.get(path) ?? look(path);
    found.set(path, isThere);
    return isThere;
  };
  return files;
}

/** An otherwise empty project in which the package is installed. */
async function appWith(files: Readonly<Record<string, string>>): Promise<TemporaryFolder> {
  const folder = await temporaryFolder();
  await symlink(packed.nodeModules, join(folder.path, 'node_modules'));
  await writeFile(join(folder.path, 'package.json'), JSON.stringify({ name: 'app', type: 'module' }));
  await writeFile(join(folder.path, 'tsconfig.json'), JSON.stringify(CONFIGURATION));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder.path, name), text);
  return folder;
}

async function compilerErrorsOf(folder: string): Promise<string> {
  const compiler = resolve('node_modules/typescript/bin/tsc');
  const { stdout } = await run(process.execPath, [compiler, '-p', folder]).catch((error: { stdout: string }) => error);
  return stdout;
}
