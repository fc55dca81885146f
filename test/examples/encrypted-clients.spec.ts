import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { KEY, OTHER_KEY } from '../support/fernet.js';
import { namespacesFile } from '../support/namespaces-file.js';
import { mintToken, startTestServer } from '../support/test-server.js';

const run = promisify(execFile);

const python = ['python3', '/usr/bin/python3'].find(
  (command) => spawnSync(command, ['-c', 'import websockets, cryptography.fernet']).status === 0,
);

const CLIENTS = [
  { name: 'the Node client that encrypts', command: process.execPath, script: 'examples/encrypted-client.mjs' },
  { name: 'the Python client that encrypts', command: python, script: 'examples/encrypted_client.py' },
];

describe.each(CLIENTS)('$name', ({ command, script }) => {
  const missing = command === undefined;
  const reason = missing ? ' (skipped: no python3 here has the websockets and cryptography libraries)' : '';

  it.skipIf(missing)(`talks to a server with its key, in a namespace that requires it${reason}`, async () => {
    using namespaces = namespacesFile({
      vault: 'subscribe: signed_in, publish: subscribers, encryption: required, replay_protection: true',
    });
    await using server = await startTestServer({ ...namespaces.environment, ENCRYPTION_KEYS: `${OTHER_KEY},${KEY}` });
    const url = `${server.url}?token=${mintToken()}`;
    const env = { ...process.env, GATEHOUSE_KEY: OTHER_KEY, GATEHOUSE_CHANNEL: 'vault:a' };
    const { stdout } = await run(command ?? '', [script, url], { env });
    expect(stdout.trim().split('\n')).toEqual([
      expect.stringMatching(/^echo \{['"]text['"]: ?['"]hi['"]\}$/),
      'subscribed vault:a',
      '← message vault:a a secret',
      'published vault:a',
      'closed 1000',
    ]);
    await expect(
      run(command ?? '', [script, url], { env: { ...env, GATEHOUSE_KEY: 'A'.repeat(43) + '=' } }),
    ).rejects.toThrow('DECRYPTION_FAILED');
  });
});
