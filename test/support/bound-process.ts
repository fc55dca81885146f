import { spawn, spawnSync, type ChildProcess, type SpawnOptions } from 'node:child_process';

/** Linux can end a child with its parent, also when that is killed; elsewhere a killed test runner leaves its children behind. */
const isSetprivThere = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0;

/** Starts a process that does not outlive this one. */
export function spawnBound(command: string, parameters: readonly string[], options: SpawnOptions): ChildProcess {
  if (!isSetprivThere) return spawn(command, parameters, options);
  return spawn('setpriv', ['--pdeathsig', 'KILL', command, ...parameters], options);
}
