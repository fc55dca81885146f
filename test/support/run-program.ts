import { spawnBound } from './bound-process.js';
import type { Environment } from '../../config/settings.js';

export interface ProgramResult {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

export interface ProgramSetup {
  readonly cwd: string;
  /** Beside PATH, which is that of the test. */
  readonly environment?: Environment;
}

/** Runs a program of Node to its end, with nothing of the environment of the test but PATH. */
export async function runProgram(
  parameters: readonly string[],
  { cwd, environment }: ProgramSetup,
): Promise<ProgramResult> {
  const env = { PATH: process.env.PATH, ...environment };
  const child = spawnBound(process.execPath, parameters, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout?.on('data', (text: Buffer) => (output += text.toString()));
  child.stderr?.on('data', (text: Buffer) => (errors += text.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, output, errors };
}
