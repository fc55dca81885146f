import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import typescript from 'typescript';
import { buildServer, ServerProcess } from '../support/built-server.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { connect } from '../support/test-client.js';
import { TEST_SECRET } from '../support/test-server.js';

/** Starts the ready program with a file of features that stands in its own folder, as in the image. */
async function startWith(text: string, channels: string) {
  const build = await buildServer();
  const folder = await temporaryFolder(build.featuresFolder);
  const [featuresFile, channelsFile] = [join(folder.path, 'features.mjs'), join(folder.path, 'channels.yaml')];
  await writeFile(featuresFile, text);
  await writeFile(channelsFile, channels);
  const environment = {
    JWT_SECRET: TEST_SECRET,
    NODE_ENV: 'test',
    FEATURES_FILE: featuresFile,
    CHANNELS_FILE: channelsFile,
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
  let server: Awaited<ReturnType<typeof startWith>>;
  beforeAll(async () => {
    const source = asJavaScript(await readFile('examples/poll.gateway.ts', 'utf8')).replace('feed:poll', 'polls:tea');
    const channels = 'namespaces:\n  polls: { subscribe: anyone, publish: [ADMIN], history: { size: 1, age: 1m } }\n';
    server = await startWith(source, channels);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it('serves the gateways of the module that the file exports, beside its own', async () => {
    await using client = await connect(`ws://127.0.0.1:${await server.port()}/ws`);
    await client.request('subscribe', { channel: 'polls:tea' });
    client.send({ type: 'poll.vote', id: 1, data: { choice: 'tea' } });
    const messages = [await client.next(), await client.next()];
    expect(messages).toContainEqual(expect.objectContaining({ type: 'poll.vote_reply', data: { tea: 1, coffee: 0 } }));
    expect(messages).toContainEqual(expect.objectContaining({ channel: 'polls:tea', data: { tea: 1, coffee: 0 } }));
    expect(await client.request('poll.vote', { choice: 'milk' })).toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(await client.request('echo', 'x')).toMatchObject({ data: 'x' });
  });

  it('takes CHANNELS_FILE from the same folder', async () => {
    await using client = await connect(`ws://127.0.0.1:${await server.port()}/ws`);
    await client.request('poll.vote', { choice: 'coffee' });
    const { data } = await client.request('history', { channel: 'polls:tea' });
    expect(data).toMatchObject({ publications: [{ data: { coffee: 1 } }] });
    expect(await client.request('subscribe', { channel: 'feed:poll' })).toMatchObject({ code: 'UNKNOWN_CHANNEL' });
  });

  it('does not start without the file, and says so', async () => {
    await using build = await buildServer();
    await using missing = await ServerProcess.start(build, { JWT_SECRET: TEST_SECRET, FEATURES_FILE: './nowhere.js' });
    expect(await missing.ended).toMatchObject({ code: 1 });
    expect(missing.errors).toMatch(/FEATURES_FILE: there is no file \/.*\/nowhere\.js/);
  });
});
