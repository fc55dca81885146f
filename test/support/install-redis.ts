import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { redisCommand } from './redis-command.js';

const ADVICE =
  'The tests need redis-server or valkey-server on PATH, of version 7 or later: ' +
  '`sudo apt-get install redis-server` on Debian and Ubuntu, `brew install redis` on macOS, `dnf install valkey` on Fedora';

/**
 * Before all tests: finds Redis, or installs it where that needs no password, as in a container of a CI. Every test starts a
 * Redis of its own on a free port; one that happens to run is left alone.
 */
export function setup(): void {
  if (redisCommand() !== undefined) return;
  const isRootOnDebian = existsSync('/etc/debian_version') && process.getuid?.() === 0;
  if (!isRootOnDebian) throw new Error(ADVICE);
  process.stdout.write('Installing redis-server, which the tests need\n');
  // One source that does not answer is no reason to give up: the lists of the others may be enough.
  aptGet('update');
  const complaint = aptGet('install', '-y', '--no-install-recommends', 'redis-server');
  if (redisCommand() === undefined) throw new Error(`${ADVICE}. apt-get says: ${complaint}`);
}

/** Returns the last line of what it complains of. */
function aptGet(...parameters: string[]): string {
  const { stderr } = spawnSync('apt-get', ['-qq', ...parameters], {
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  return stderr.trim().split('\n').at(-1) ?? '';
}
