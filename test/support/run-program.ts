import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Environment } from '../../config/settings.js';
import { spawnBound } from './bound-process.js';

export interface ProgramResult {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

export interface ProgramSetup {
  readonly cwd: string;
  /** Beside PATH and HOME, which are those of the test. */
  readonly environment?: Environment;
}

/** Runs a program to its end, with nothing of the environment of the test but PATH and HOME. */
export async function runProgram(
  command: string,
  parameters: readonly string[],
  setup: ProgramSetup,
): Promise<ProgramResult> {
  const program = startProgram(command, parameters, setup);
  const code = await program.ended;
  return { code, output: program.output, errors: program.errors };
}

/** Starts a program. `await using` ends it. */
export function startProgram(
  command: string,
  parameters: readonly string[],
  { cwd, environment }: ProgramSetup,
): RunningProgram {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...environment };
  return new RunningProgram(spawnBound(command, parameters, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] }));
}

export class RunningProgram implements AsyncDisposable {
  output = '';
  errors = '';
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;

  constructor(private readonly child: ChildProcess) {
    child.stdout?.on('data', (text: Buffer) => (this.output += text.toString()));
    child.stderr?.on('data', (text: Buffer) => (this.errors += text.toString()));
    this.ended = once(child, 'close').then(([code]) => code as number | null);
  }

  /** Resolves when the program has written it to stdout. Fails if the program ends first. */
  async wrote(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.output)) {
      const written = this.child.stdout ? once(this.child.stdout, 'data') : Promise.reject(new Error('no stdout'));
      const isOver = await Promise.race([written.then(() => false), this.ended.then(() => true)]);
      if (isOver) throw new Error(`It ended before it wrote ${pattern}: ${this.output}${this.errors}`);
    }
  }

  /** By a signal, as a terminal ends it: a server of npm drains first. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGTERM');
    await this.ended;
  }
}
