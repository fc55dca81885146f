import { once } from 'node:events';
import { join } from 'node:path';
import type { LoadReport } from '../load/job.js';
import { benchFolder } from '../peers/catalogue.js';
import { lastWords, startChild, stopChild } from './children.js';

const loadCore = 1;

/** The generator is a process of its own, so that it can be pinned away from the server. */
export async function generateLoad(script: string, job: object, limitMs: number): Promise<LoadReport> {
  const file = join(benchFolder, 'load', `${script}.ts`);
  const child = startChild([process.execPath, '--import', 'tsx', file, JSON.stringify(job)], { core: loadCore });
  const words = lastWords(child);
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const limit = setTimeout(() => void stopChild(child), limitMs);
  await once(child, 'close');
  clearTimeout(limit);
  return parseReport(output) ?? failed(`the load did not finish within ${limitMs / 1_000} s ${words()}`);
}

function parseReport(output: string): LoadReport | null {
  const line = output.trim().split('\n').at(-1);
  return line?.startsWith('{') ? (JSON.parse(line) as LoadReport) : null;
}

function failed(invalid: string): LoadReport {
  return { readings: [], remarks: [], invalid };
}
