import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PrivateCopy } from './documented-shell.js';
import { DOCUMENTS, shellBlocks, type ShellBlock } from './shell-blocks.js';

/** Why no test runs a block that is marked `console`, by its document and its first words. */
const NOT_RUN: readonly (readonly [path: string, start: string, reason: string])[] = [
  ['README.md', 'cp examples/poll.gateway.ts', 'a port that no server has'],
  ['README.md', 'npm create gatehouse', 'a registry; test/package runs it from a tarball'],
  ['docs/client.md', 'npm ci && npm pack', 'an application beside this repository'],
  ['docs/client.md', 'npx esbuild', 'a page of the reader'],
  ['docs/deployment.md', 'docker build', 'Docker'],
  ['docs/deployment.md', 'cp deploy/compose.env.example', 'Docker'],
  ['docs/deployment.md', 'kubectl create namespace', 'a Kubernetes cluster'],
  ['docs/deployment.md', 'kubectl apply', 'a Kubernetes cluster'],
  ['docs/deployment.md', 'helm upgrade', 'a Kubernetes cluster'],
  ['docs/hooks.md', 'mkdir -p .gatehouse', 'a secret that the next block reads'],
  ['docs/hooks.md', 'HOOK_SECRET=', 'Python, and a program that does not end'],
  ['docs/observability.md', 'docker run', 'Docker'],
  ['docs/outbox.md', 'export DATABASE_URL', 'a registry, and a database; test/gateway runs the SQL'],
  ['docs/bridges.md', 'npm install kafkajs', 'a registry; test/gateway reads the brokers'],
  ['docs/bridges.md', 'npm install @nats-io', 'a registry; test/gateway reads the brokers'],
  ['docs/bridges.md', 'docker build', 'Docker; test/deploy checks the files'],
  ['docs/bridges.md', 'docker compose', 'Docker; test/deploy checks the files'],
  ['docs/bridges.md', "echo '17=", 'Docker; test/deploy checks the files'],
  ['docs/outbox.md', 'docker build', 'Docker; test/deploy checks the files'],
  ['docs/outbox.md', 'docker compose', 'Docker; test/deploy checks the files'],
  ['docs/edge.md', 'npm install classic-level', 'a registry, on a device'],
  ['docs/edge.md', 'docker build', 'Docker'],
  ['docs/edge.md', 'echo "EDGE_CENTRE=on"', 'Docker'],
  ['docs/edge.md', 'useradd', 'root, on a device; test/deploy checks the unit'],
  ['docs/workers.md', 'WORKERS=auto npm start', 'a program that does not end; test/cluster starts it'],
  ['docs/network.md', 'TLS_CERT_FILE=/etc', 'root, for files in /etc'],
  ['docs/troubleshooting.md', 'npx -y wscat', 'root, for tcpdump, and a terminal'],
];

const RUN = DOCUMENTS.filter((path) => path === 'README.md' || path.startsWith('docs/'));
const ALL = DOCUMENTS.flatMap(shellBlocks);
const needsRedis = ({ code }: ShellBlock): boolean => code.includes('redis-server');

/** What a reader sees, of each document that runs. */
const SHOWN: Readonly<Record<string, readonly RegExp[]>> = {
  'README.md': [
    /"type":"hello_reply"/,
    /"type":"echo_reply"/,
    /"type":"direct_message"/,
    /"channel":"feed:news","epoch"/,
  ],
  'docs/api.md': [
    /"seq":1/,
    /"members":\[\]/,
    /"nodeId":"node-1"/,
    /"remaining"|No such node/,
    /"rights":\{"userId":"alice"/,
  ],
};

describe('every block of commands', () => {
  it.each(ALL.map((block): [string, ShellBlock] => [`${block.path}:${block.line}`, block]))(
    '%s parses',
    (_where, block) => {
      const { status, stderr } = spawnSync('bash', ['-n'], { input: block.code, encoding: 'utf8' });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    },
  );

  it('that is marked console has a reason, and each reason a block', () => {
    const marked = ALL.filter(({ path, language }) => language === 'console' && RUN.includes(path));
    const found = NOT_RUN.map(([path, start]) =>
      marked.findIndex((block) => block.path === path && block.code.startsWith(start)),
    );
    expect(found.toSorted((one, other) => one - other)).toEqual(marked.map((_block, index) => index));
  });
});

describe('run as written, in their order, in a copy of the project', { timeout: 900_000 }, () => {
  let copy: PrivateCopy;
  beforeAll(async () => void (copy = await PrivateCopy.make()));
  afterAll(() => copy[Symbol.asyncDispose]());

  /** A page that starts no server is for readers who have one. */
  const start = shellBlocks('README.md').slice(0, 1);
  const blocksOf = (path: string): ShellBlock[] => shellBlocks(path).filter(({ language }) => language === 'sh');
  const ownServer = (path: string): ShellBlock[] => (path === 'docs/api.md' ? start : []);

  it.each(RUN.filter((path) => blocksOf(path).some((block) => !needsRedis(block))))(
    'the commands of %s work',
    async (path) => {
      const { code, output } = await copy.run([
        ...ownServer(path),
        ...blocksOf(path).filter((block) => !needsRedis(block)),
      ]);
      expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
      for (const pattern of SHOWN[path] ?? []) expect(output).toMatch(pattern);
    },
  );

  it('those of docs/redis.md about several nodes work', { tags: ['redis'] }, async () => {
    const { code, output, redisPort } = await copy.run(blocksOf('docs/redis.md').filter(needsRedis));
    spawnSync('redis-cli', ['-p', redisPort, 'shutdown', 'nosave']);
    expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
    expect(output).toMatch(/\{"nodeId":"[ab]","url":"ws:[^"]+"\}/);
  });
});
