import { spawnSync } from 'node:child_process';
import { relative } from 'node:path';
import { has } from '../../test/support/programs.js';
import { isPresent, repositoryFolder, type Peer } from '../peers/catalogue.js';

const installLimitMs = 180_000;

/** The peers that can start; installs their packages first when some are missing. Says what is left out and why. */
export function startablePeers(wanted: readonly Peer[]): Peer[] {
  if (wanted.some((peer) => peer.needs.installable && !isPresent(peer))) installPeers();
  return wanted.filter((peer) => {
    const present = isPresent(peer);
    if (!present)
      console.error(
        `${peer.name} is left out: ${relative(repositoryFolder, peer.needs.file)} is missing. Try: ${peer.needs.advice}`,
      );
    const hasRedis = !peer.onRedis || has('redis');
    if (!hasRedis) console.error(`${peer.name} is left out: neither redis-server nor valkey-server is on PATH.`);
    return present && hasRedis;
  });
}

function installPeers(): void {
  console.error('Installing the peers (npm ci --prefix bench), once …');
  spawnSync('npm', ['ci', '--prefix', 'bench', '--no-audit', '--no-fund'], {
    cwd: repositoryFolder,
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: installLimitMs,
  });
}
