import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Run beside each other: two of them use one core only. */
const CHECKS = ['check:format', 'check:lint', 'check:layers'];

/** @returns whether the check found nothing */
async function passes(check: string): Promise<boolean> {
  const child = spawn('npm', ['run', '--silent', check], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (output += text.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  process.stdout.write(`${check}: ${code === 0 ? 'passed' : 'failed'}\n${output}`);
  return code === 0;
}

const results = await Promise.all(CHECKS.map(passes));
process.exitCode = results.every(Boolean) ? 0 : 1;
