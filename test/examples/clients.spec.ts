import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundledExample, type BundledExample } from '../support/bundled-example.js';
import type { ProgramName } from '../support/programs.js';
import { requireProgram } from '../support/require-program.js';
import { mintToken, startTestServer } from '../support/test-server.js';

const run = promisify(execFile);

interface Client {
  readonly name: string;
  readonly command: () => string;
  readonly source: string;
  readonly tags: ProgramName[];
}

const CONVERSATION = [
  expect.stringMatching(/"type": ?"hello_reply".*"userId": ?"alice"/),
  expect.stringMatching(/"type": ?"echo_reply".*"data": ?{"text": ?"hi"}/),
  expect.stringMatching(/"type": ?"broadcast".*"data": ?"hello, everyone"/),
  expect.stringMatching(/"type": ?"broadcast_reply"/),
  expect.stringMatching(/"type": ?"direct_message".*"message": ?"a note to myself"/),
  expect.stringMatching(/"type": ?"send_message_reply".*"sessions": ?1/),
];

const CLIENTS: readonly Client[] = [
  { name: 'the Node client', command: () => process.execPath, source: 'examples/node-client.mjs', tags: [] },
  {
    name: 'the Python client',
    command: () => requireProgram('python'),
    source: 'examples/python_client.py',
    tags: ['python'],
  },
];

describe.each(CLIENTS)('$name', ({ command, source, tags }) => {
  let example: BundledExample;
  beforeAll(async () => void (example = await bundledExample(source)));
  afterAll(() => example[Symbol.asyncDispose]());

  it('talks to the server with a token in the URL', { tags }, async () => {
    await using server = await startTestServer();
    const { stdout } = await run(command(), [example.path, `${server.url}?token=${mintToken()}`]);
    expect(received(stdout)).toEqual(CONVERSATION);
    expect(stdout.trim()).toMatch(/closed 1000$/);
  });

  it('takes address and token from the environment', { tags }, async () => {
    await using server = await startTestServer();
    const env = { ...process.env, GATEHOUSE_URL: server.url, GATEHOUSE_TOKEN: mintToken() };
    const { stdout } = await run(command(), [example.path], { env });
    expect(received(stdout)).toEqual(CONVERSATION);
  });

  it('fails where the server refuses it', { tags }, async () => {
    await using server = await startTestServer();
    await expect(run(command(), [example.path, server.url])).rejects.toThrow(
      /4401|Authentication required|Command failed/,
    );
  });
});

function received(stdout: string): string[] {
  return stdout.split('\n').filter((line) => line.startsWith('←'));
}
