import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { commandNamed, redisCommand } from './commands.js';

const ADVICE =
  'The tests need redis-server or valkey-server on PATH, of version 7 or later: ' +
  '`sudo apt-get install redis-server` on Debian and Ubuntu, `brew install redis` on macOS, `dnf install valkey` on Fedora';

/** What the files in deploy/ are for, by Debian's package. Where one is missing its tests are skipped. */
const PACKAGES: Readonly<Record<string, string>> = { nginx: 'nginx-light', haproxy: 'haproxy', promtool: 'prometheus' };

/**
 * Before all tests: finds Redis and what deploy/ is tried with, or installs them where that needs no password and starts no
 * service, as in a container of a CI. Every test starts a Redis of its own on a free port; one that happens to run is left alone.
 */
export function setup(): void {
  const needed = redisCommand() === undefined ? ['redis-server'] : [];
  const wanted = Object.keys(PACKAGES).filter((name) => commandNamed(name) === undefined);
  const isRootOnDebian = existsSync('/etc/debian_version') && process.getuid?.() === 0;
  const startsServices = existsSync('/run/systemd/system');
  if (!isRootOnDebian || (startsServices && needed.length === 0)) return demandRedis();

  const packages = [...needed, ...(startsServices ? [] : wanted.map((name) => PACKAGES[name] ?? name))];
  if (packages.length === 0) return;
  process.stdout.write(`Installing what the tests need: ${packages.join(', ')}\n`);
  // One source that does not answer is no reason to give up: the lists of the others may be enough.
  aptGet('update');
  demandRedis(aptGet('install', '-y', '--no-install-recommends', ...packages));
}

function demandRedis(complaint = ''): void {
  if (redisCommand() === undefined)
    throw new Error(complaint === '' ? ADVICE : `${ADVICE}. apt-get says: ${complaint}`);
}

/** Returns the last line of what it complains of. */
function aptGet(...parameters: string[]): string {
  const { stderr } = spawnSync('apt-get', ['-qq', ...parameters], {
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  return stderr.trim().split('\n').at(-1) ?? '';
}
