import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { SHARED_BUILD } from './shared-build.js';

/**
 * Makes a folder once a run of Vitest, whichever worker needs it first. The other workers wait for it. The run removes it.
 *
 * @param kind what the folder holds; part of its name
 * @param make creates the folder at the given path, whole or not at all. If it fails, the next worker tries again
 * @returns the path; undefined if Vitest watches files, because then nothing may be kept
 */
export async function onceARun(kind: string, make: (path: string) => Promise<void>): Promise<string | undefined> {
  const shared = process.env[SHARED_BUILD];
  if (shared === undefined) return undefined;
  const path = `${shared}-${kind}`;
  while (!existsSync(path)) await ((await isFirst(path)) ? makeAt(path, make) : pause(50));
  return path;
}

/** Only one process can make a folder. */
function isFirst(path: string): Promise<boolean> {
  return mkdir(`${path}.lock`).then(
    () => true,
    () => false,
  );
}

async function makeAt(path: string, make: (path: string) => Promise<void>): Promise<void> {
  try {
    await make(path);
  } catch (error) {
    await rm(`${path}.lock`, { recursive: true });
    throw error;
  }
}
