import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { processOneWrapper } from './process-one.js';

/** A program that some tests need and npm does not bring. */
export interface Program {
  /** As people call it. */
  readonly title: string;
  /** What the tests do with it. */
  readonly purpose: string;
  /** The packages of Debian and Ubuntu that bring it; none where they have none. */
  readonly packages: readonly string[];
  /** The services that those packages would start; the tests start processes of their own. */
  readonly services?: readonly string[];
  /** Returns the path of the program, or undefined if a test could not use it here. */
  readonly find: () => string | undefined;
}

/** Where `npm run test:setup` puts programs that are no package of Debian. It stays over `npm ci`. */
export const TOOLS_FOLDER = fileURLToPath(new URL('../../.cache/tools', import.meta.url));

/**
 * Every program that some tests need. A test that needs one has its name as a tag: `describe('…', { tags: ['redis'] }, …)`, or
 * `// @module-tag redis` on the first line of a file. Where the program is missing, Vitest skips the test, and the run says so.
 */
export const PROGRAMS = {
  redis: {
    title: 'Redis or Valkey, 7 or later',
    purpose: 'several nodes that share channels, bans and limits',
    packages: ['redis-server'],
    services: ['redis-server'],
    find: () => [commandNamed('redis-server'), commandNamed('valkey-server')].find(isRecentRedis),
  },
  nginx: {
    title: 'nginx',
    purpose: 'deploy/nginx in front of real nodes',
    packages: ['nginx-light'],
    services: ['nginx'],
    find: () => onLinux('nginx'),
  },
  haproxy: {
    title: 'HAProxy',
    purpose: 'deploy/haproxy in front of real nodes',
    packages: ['haproxy'],
    services: ['haproxy'],
    find: () => onLinux('haproxy'),
  },
  promtool: {
    title: 'promtool',
    purpose: 'the rules and alerts of deploy/prometheus',
    packages: ['prometheus'],
    services: ['prometheus'],
    find: () => commandNamed('promtool'),
  },
  chromium: {
    title: 'Chromium',
    purpose: 'a browser that talks to the server and reads /docs',
    packages: ['chromium'],
    find: () => firstOf('chromium', 'chromium-browser', 'google-chrome'),
  },
  python: {
    title: 'Python 3 with websockets and cryptography',
    purpose: 'the example clients in Python',
    packages: ['python3', 'python3-websockets', 'python3-cryptography'],
    find: findPython,
  },
  php: {
    title: 'PHP 8',
    purpose: 'the example of a back end in PHP',
    packages: ['php-cli'],
    find: () => commandNamed('php'),
  },
  go: {
    title: 'Go, 1.19 or later',
    purpose: 'the example of a back end in Go',
    packages: ['golang-go'],
    find: () => commandNamed('go'),
  },
  postgres: {
    title: 'PostgreSQL, 14 or later',
    purpose: 'the outbox in a database',
    packages: ['postgresql'],
    services: ['postgresql'],
    find: findPostgres,
  },
  nats: {
    title: 'nats-server, 2.9 or later',
    purpose: 'bridges to NATS and JetStream',
    packages: ['nats-server'],
    services: ['nats-server'],
    find: () => commandNamed('nats-server', SYSTEM_FOLDERS),
  },
  kcat: {
    title: 'kcat, whose library has a Kafka for tests',
    purpose: 'bridges to Kafka',
    packages: ['kcat'],
    find: () => commandNamed('kcat'),
  },
  tini: {
    title: 'tini',
    purpose: 'the entry point of the image',
    packages: ['tini'],
    find: () => onLinux('tini'),
  },
  unshare: {
    title: 'unshare, for an account that may make a PID namespace',
    purpose: 'the server as process 1 of a container',
    packages: [],
    find: () => (processOneWrapper() === undefined ? undefined : commandNamed('unshare')),
  },
  helm: {
    title: 'Helm 3 or 4',
    purpose: 'what the chart renders to',
    packages: [],
    find: () => commandNamed('helm', [TOOLS_FOLDER]),
  },
  kubectl: {
    title: 'kubectl',
    purpose: 'what the kustomization of deploy/kubernetes makes',
    packages: [],
    find: () => commandNamed('kubectl', [TOOLS_FOLDER]),
  },
} as const satisfies Readonly<Record<string, Program>>;

export type ProgramName = keyof typeof PROGRAMS;

declare module 'vitest' {
  interface TestTags {
    readonly tags: ProgramName;
  }
}

export const PROGRAM_NAMES = Object.keys(PROGRAMS) as ProgramName[];

const paths = new Map<ProgramName, string | undefined>();

/** Returns the path of a program, or undefined if it is not here. Looks for it once a process. */
export function pathOf(name: ProgramName): string | undefined {
  if (!paths.has(name)) paths.set(name, PROGRAMS[name].find());
  return paths.get(name);
}

export function has(name: ProgramName): boolean {
  return pathOf(name) !== undefined;
}

/** The note of a test that was skipped because a program is missing. */
export function lackOf(name: ProgramName): string {
  return `lacks ${name}`;
}

/** Debian keeps nginx and haproxy where the PATH of an ordinary user does not lead. */
const SYSTEM_FOLDERS = ['/usr/sbin', '/usr/local/sbin'];

/** Returns the path of a command, or undefined if there is none of that name. */
export function commandNamed(name: string, further: readonly string[] = []): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== ''), ...further];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function firstOf(...names: string[]): string | undefined {
  return names.map((name) => commandNamed(name)).find((path) => path !== undefined);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The tests of proxies use more addresses of the loopback interface than other systems have. */
function onLinux(name: string): string | undefined {
  return process.platform === 'linux' ? commandNamed(name, SYSTEM_FOLDERS) : undefined;
}

function isRecentRedis(command: string | undefined): boolean {
  if (command === undefined) return false;
  const { stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
  return Number(/v=(\d+)/.exec(stdout)?.[1]) >= 7;
}

/** The server, with initdb beside it. Debian keeps a folder for each version outside of PATH. */
function findPostgres(): string | undefined {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).toSorted((one, other) => Number(other) - Number(one)) : [];
  const folders = versions.map((version) => join(root, version, 'bin'));
  const candidates = [...folders.map((folder) => join(folder, 'postgres')), commandNamed('postgres') ?? ''];
  return candidates
    .filter((command) => isExecutable(command) && isExecutable(join(dirname(command), 'initdb')))
    .find(isRecentPostgres);
}

function isRecentPostgres(command: string): boolean {
  const { stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
  return Number(/\) (\d+)/.exec(stdout)?.[1]) >= 14;
}

/** Debian's own Python sees Debian's packages; one that comes first on PATH may not. */
function findPython(): string | undefined {
  const candidates = [commandNamed('python3') ?? '', '/usr/bin/python3'].filter(isExecutable);
  return candidates.find(
    (command) => spawnSync(command, ['-c', 'import websockets, cryptography.fernet']).status === 0,
  );
}
