import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import typescript from 'typescript';
import { buildServer, ServerProcess } from '../support/built-server.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { connect } from '../support/test-client.js';
import { TEST_SECRET } from '../support/test-server.js';

const run = promisify(execFile);

/** Starts the ready program with a file of features that stands in its own folder, as in the image. */
async function startWith(text: string, channels?: string) {
  const build = await buildServer();
  const folder = await temporaryFolder(build.folder);
  const [featuresFile, channelsFile] = [join(folder.path, 'features.mjs'), join(folder.path, 'channels.yaml')];
  await writeFile(featuresFile, text);
  if (channels !== undefined) await writeFile(channelsFile, channels);
  const environment = {
    JWT_SECRET: TEST_SECRET,
    NODE_ENV: 'test',
    FEATURES_FILE: featuresFile,
    ...(channels !== undefined && { CHANNELS_FILE: channelsFile }),
  };
  const server = await ServerProcess.start(build, environment);
  return Object.assign(server, {
    [Symbol.asyncDispose]: async () => {
      await ServerProcess.prototype[Symbol.asyncDispose].call(server);
      await folder[Symbol.asyncDispose]();
      await build[Symbol.asyncDispose]();
    },
  });
}

const asJavaScript = (source: string): string =>
  typescript.transpileModule(source, {
    compilerOptions: {
      module: typescript.ModuleKind.ESNext,
      target: typescript.ScriptTarget.ES2023,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
    },
  }).outputText;

describe('the program with FEATURES_FILE', () => {
  it('serves the gateways of the module that the file exports, beside its own', async () => {
    await using server = await startWith(asJavaScript(await readFile('examples/poll.gateway.ts', 'utf8')));
    await using client = await connect(`ws://127.0.0.1:${await server.port()}/ws`);
    await client.request('subscribe', { channel: 'feed:poll' });
    client.send({ type: 'poll.vote', id: 1, data: { choice: 'tea' } });
    const messages = [await client.next(), await client.next()];
    expect(messages).toContainEqual(expect.objectContaining({ type: 'poll.vote_reply', data: { tea: 1, coffee: 0 } }));
    expect(messages).toContainEqual(expect.objectContaining({ channel: 'feed:poll', data: { tea: 1, coffee: 0 } }));
    expect(await client.request('poll.vote', { choice: 'milk' })).toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(await client.request('echo', 'x')).toMatchObject({ data: 'x' });
  });

  it('takes CHANNELS_FILE from the same folder', async () => {
    const source = asJavaScript(await readFile('examples/poll.gateway.ts', 'utf8')).replace('feed:poll', 'polls:tea');
    const channels = 'namespaces:\n  polls: { subscribe: anyone, publish: [ADMIN], history: { size: 1, age: 1m } }\n';
    await using server = await startWith(source, channels);
    await using client = await connect(`ws://127.0.0.1:${await server.port()}/ws`);
    await client.request('poll.vote', { choice: 'tea' });
    const { data } = await client.request('history', { channel: 'polls:tea' });
    expect(data).toMatchObject({ publications: [{ data: { tea: 1, coffee: 0 } }] });
    expect(await client.request('subscribe', { channel: 'feed:poll' })).toMatchObject({ code: 'UNKNOWN_CHANNEL' });
  });

  it('does not start without the file, and says so', async () => {
    await using build = await buildServer();
    await using missing = await ServerProcess.start(build, { JWT_SECRET: TEST_SECRET, FEATURES_FILE: './nowhere.js' });
    expect(await missing.ended).toMatchObject({ code: 1 });
    expect(missing.errors).toMatch(/FEATURES_FILE: there is no file \/.*\/nowhere\.js/);
  });
});

/** Prints what the loader of the build says of each file, as Node itself loads it. */
const LOAD = `
import 'reflect-metadata';
const [loader, ...files] = process.argv.slice(1);
const { loadFeatures } = await import(loader);
for (const file of files) {
  const message = await loadFeatures(file).then(() => 'loaded', (error) => error.message);
  console.log(JSON.stringify(message));
}`;

describe('FEATURES_FILE is refused, and the error says why, for a file that', () => {
  const ROWS: readonly (readonly [what: string, text: string, fault: string, name?: string])[] = [
    ['has no default export', 'export const PollModule = 1;', 'has no default export. Add: export default YourModule'],
    ['exports no module', 'export default class Poll {}', 'but Poll is not a module. Put @Module('],
    ['exports a list with something else in it', 'export default [{ module: class {} }, 1];', 'but 1 is not a module'],
    [
      'imports a package that is missing',
      "import 'not-installed';",
      'imports a module that is not installed: Cannot find package',
    ],
    ['throws', "throw new Error('no database');", 'failed to load: Error: no database'],
    ['is TypeScript', 'export default class Poll {}', 'Compile it, and set the path of the .js file', 'features.ts'],
  ];
  let said: readonly string[] = [];

  beforeAll(async () => {
    await using build = await buildServer();
    await using folder = await temporaryFolder(build.folder);
    const files = ROWS.map(([, , , name = 'features.mjs'], row) => join(folder.path, `${row}-${name}`));
    await Promise.all(ROWS.map(([, text], row) => writeFile(files[row] ?? '', text)));
    const parameters = ['--input-type=module', '-e', LOAD, join(build.folder, 'src', 'features-file.js'), ...files];
    const { stdout } = await run(process.execPath, parameters);
    said = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as string);
  });

  it.each(ROWS.map(([what, , fault], row) => ({ what, fault, row })))('$what', ({ fault, row }) => {
    expect(said[row]).toContain('FEATURES_FILE: ');
    expect(said[row]).toContain(fault);
  });
});
