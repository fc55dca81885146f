import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundledExample, type BundledExample } from '../support/bundled-example.js';
import { KEY, OTHER_KEY } from '../support/fernet.js';
import { namespacesFile } from '../support/namespaces-file.js';
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

const CLIENTS: readonly Client[] = [
  {
    name: 'the Node client that encrypts',
    command: () => process.execPath,
    source: 'examples/encrypted-client.mjs',
    tags: [],
  },
  {
    name: 'the Python client that encrypts',
    command: () => requireProgram('python'),
    source: 'examples/encrypted_client.py',
    tags: ['python'],
  },
];

describe.each(CLIENTS)('$name', ({ command, source, tags }) => {
  let example: BundledExample;
  beforeAll(async () => void (example = await bundledExample(source)));
  afterAll(() => example[Symbol.asyncDispose]());

  it('talks to a server with its key, in a namespace that requires it', { tags }, async () => {
    using namespaces = namespacesFile({
      vault: 'subscribe: signed_in, publish: subscribers, encryption: required, replay_protection: true',
    });
    await using server = await startTestServer({ ...namespaces.environment, ENCRYPTION_KEYS: `${OTHER_KEY},${KEY}` });
    const url = `${server.url}?token=${mintToken()}`;
    const env = { ...process.env, GATEHOUSE_KEY: OTHER_KEY, GATEHOUSE_CHANNEL: 'vault:a' };
    const { stdout } = await run(command(), [example.path, url], { env });
    const lines = stdout.trim().split('\n');
    expect(lines.filter((line) => !line.startsWith('subscribed'))).toEqual([
      expect.stringMatching(/^echo \{['"]text['"]: ?['"]hi['"]\}$/),
      '← message vault:a a secret',
      'published vault:a',
      'closed 1000',
    ]);
    await expect(
      run(command(), [example.path, url], { env: { ...env, GATEHOUSE_KEY: 'A'.repeat(43) + '=' } }),
    ).rejects.toThrow('DECRYPTION_FAILED');
  });
});
