import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { mintToken, startTestServer } from '../support/test-server.js';

const run = promisify(execFile);

/** The first Python that has the library; Debian's own sees python3-websockets, another one in PATH may not. */
const python = ['python3', '/usr/bin/python3'].find(
  (command) => spawnSync(command, ['-c', 'import websockets']).status === 0,
);

const CONVERSATION = [
  expect.stringMatching(/"type": ?"hello_reply".*"userId": ?"alice"/),
  expect.stringMatching(/"type": ?"echo_reply".*"data": ?{"text": ?"hi"}/),
  expect.stringMatching(/"type": ?"broadcast".*"data": ?"hello, everyone"/),
  expect.stringMatching(/"type": ?"broadcast_reply"/),
  expect.stringMatching(/"type": ?"direct_message".*"message": ?"a note to myself"/),
  expect.stringMatching(/"type": ?"send_message_reply".*"sessions": ?1/),
];

const CLIENTS = [
  { name: 'the Node client', command: process.execPath, script: 'examples/node-client.mjs' },
  { name: 'the Python client', command: python, script: 'examples/python_client.py' },
];

describe.each(CLIENTS)('$name', ({ command, script }) => {
  const missing = command === undefined;
  const reason = missing ? ' (skipped: no python3 here has the websockets library)' : '';

  it.skipIf(missing)(`talks to the server with a token in the URL${reason}`, async () => {
    await using server = await startTestServer();
    const { stdout } = await run(command ?? '', [script, `${server.url}?token=${mintToken()}`]);
    expect(received(stdout)).toEqual(CONVERSATION);
    expect(stdout.trim()).toMatch(/closed 1000$/);
  });

  it.skipIf(missing)(`takes address and token from the environment${reason}`, async () => {
    await using server = await startTestServer();
    const env = { ...process.env, GATEHOUSE_URL: server.url, GATEHOUSE_TOKEN: mintToken() };
    const { stdout } = await run(command ?? '', [script], { env });
    expect(received(stdout)).toEqual(CONVERSATION);
  });

  it.skipIf(missing)(`fails where the server refuses it${reason}`, async () => {
    await using server = await startTestServer();
    await expect(run(command ?? '', [script, server.url])).rejects.toThrow(
      /4401|Authentication required|Command failed/,
    );
  });
});

function received(stdout: string): string[] {
  return stdout.split('\n').filter((line) => line.startsWith('←'));
}
