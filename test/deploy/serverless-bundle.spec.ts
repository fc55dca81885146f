import { build, transform } from 'esbuild';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addNamespaces, bundleOptions } from '../../deploy/serverless/bundle.js';
import { buildServer, type Build } from '../support/built-server.js';
import { TestDynamo } from '../support/dynamodb.js';
import { runProgram } from '../support/run-program.js';
import { mintToken, TEST_SECRET } from '../support/test-server.js';

const MOST_BYTES = 3_000_000;

describe('the bundle of deploy/serverless/handler.ts', () => {
  let server: Build;
  let folder: string;
  let outfile: string;
  let modules: readonly string[];
  beforeAll(async () => {
    server = await buildServer();
    // Inside node_modules, so that it finds the SDK, as in the runtime of Lambda.
    folder = await mkdtemp(resolve('node_modules', '.gatehouse-function-'));
    const entry = join(folder, 'handler.js');
    outfile = join(folder, 'dist', 'handler.mjs');
    const { code } = await transform(await readFile('deploy/serverless/handler.ts', 'utf8'), {
      loader: 'ts',
      tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
    });
    await writeFile(entry, code);
    const source = join(server.folder, 'src');
    const alias = {
      gatehouse: join(source, 'public.js'),
      'gatehouse/serverless': join(source, 'serverless', 'serverless.js'),
    };
    const made = await build({ ...bundleOptions(entry, outfile), sourcemap: false, metafile: true, alias });
    await addNamespaces(outfile, 'config/channels.yaml');
    modules = Object.values(made.metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
    await server[Symbol.asyncDispose]();
  });

  it('has at most 3 MB, and nothing of Redis, of workers or of a web server', async () => {
    expect((await stat(outfile)).size).toBeLessThanOrEqual(MOST_BYTES);
    const foreign = /\/(ioredis|express)\/|\/(redis-engine|redis-link|remote-engine|remote-link)\.js/;
    expect(modules.filter((path) => foreign.test(path))).toEqual([]);
  });

  it('serves events: it refuses without a token, and writes the row of a client that has one', async () => {
    await using dynamo = await TestDynamo.start();
    const tables = await dynamo.makeTables('bundled');
    const context = { eventType: 'CONNECT', routeKey: '$connect', domainName: 'api.example', stage: 'prod' };
    const events = [{}, { token: mintToken({}) }].map((queryStringParameters, index) => ({
      requestContext: { ...context, connectionId: `connection-${index}=` },
      queryStringParameters,
    }));
    const script = `
      const { handler } = await import(${JSON.stringify(outfile)});
      const answers = [];
      for (const event of ${JSON.stringify(events)}) answers.push((await handler(event)).statusCode);
      process.stderr.write(JSON.stringify(answers));
      process.exit(0);`;
    const { errors } = await runProgram(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: folder,
      environment: {
        JWT_SECRET: TEST_SECRET,
        NODE_ENV: 'production',
        AUTH_REFUSAL: 'http',
        AUDIT_LOG: 'off',
        CONNECTIONS_TABLE: tables.connections,
        AWS_ENDPOINT_URL_DYNAMODB: String(dynamo.service.endpoint),
        AWS_REGION: 'eu-central-1',
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      },
    });
    expect(errors).toBe('[401,200]');
    expect(await dynamo.countRows(tables.connections)).toBe(1);
  });
});
