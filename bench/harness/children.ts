import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { repositoryFolder } from '../peers/catalogue.js';

/** Everything this run has started and that has not ended yet. */
const running = new Set<ChildProcess>();
const killGraceMs = 3_000;

export interface ChildOptions {
  readonly core: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** Where it runs; the repository where it does not say. */
  readonly folder?: string;
}

const pinning = isInstalled('taskset', '--version');
/** A server must not outlive a harness that was killed without a chance to clean up. */
const tying = isInstalled('setpriv', '--pdeathsig KILL true');

export function pinningAdvice(): string | null {
  if (pinning) return null;
  return 'taskset (util-linux) is not installed: server and load share the cores, so figures will scatter more.';
}

/** The wrappers replace themselves by the program, so the child's pid is the program's. */
export function startChild(program: readonly string[], { core, environment, folder }: ChildOptions): ChildProcess {
  const [file, ...rest] = [
    ...(tying ? ['setpriv', '--pdeathsig', 'KILL'] : []),
    ...(pinning ? ['taskset', '-c', String(core)] : []),
    ...program,
  ];
  if (file === undefined) throw new Error('no program to start');
  const child = spawn(file, rest, {
    cwd: folder ?? repositoryFolder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_ENV: 'production', ...environment },
  });
  running.add(child);
  child.on('exit', () => running.delete(child));
  return child;
}

export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, killGraceMs).unref())]);
}

/** The last text a child wrote to stderr, for the sentence that says why it failed. */
export function lastWords(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.on('data', (chunk: Buffer) => (text = (text + chunk.toString()).slice(-2_000)));
  return () => text.trim();
}

export function stopEverythingAtExit(): void {
  process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
  process.on('SIGINT', () => process.exit(130));
  process.on('SIGTERM', () => process.exit(143));
}

function isInstalled(command: string, trial: string): boolean {
  return spawnSync(command, trial.split(' '), { stdio: 'ignore' }).status === 0;
}
