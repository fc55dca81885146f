import { spawn, spawnSync, type ChildProcess, type SpawnOptions } from 'node:child_process';

/** Linux can end a child with its parent, also when that is killed; elsewhere a killed test runner leaves its children behind. */
const isSetprivThere = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0;

export interface BoundOptions extends SpawnOptions {
  /** What it is sent when this process has ended: TERM for one that has children of its own to end. Default: KILL. */
  readonly deathSignal?: 'KILL' | 'TERM';
}

/** Starts a process that does not outlive this one. */
export function spawnBound(command: string, parameters: readonly string[], options: BoundOptions): ChildProcess {
  const { deathSignal = 'KILL', ...rest } = options;
  if (!isSetprivThere) return spawn(command, parameters, rest);
  return spawn('setpriv', ['--pdeathsig', deathSignal, command, ...parameters], rest);
}
