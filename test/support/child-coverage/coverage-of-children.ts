import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import type { Profiler } from 'node:inspector';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mergeProcessCovs } from '@bcoe/v8-coverage';
import { convert } from 'ast-v8-to-istanbul';
import { parseAstAsync } from 'vitest/node';

/** A module of a server that `buildServer()` compiled. */
const COMPILED = /\/node_modules\/\.gatehouse-build-[^/]+\/((?:config|src)\/.+)\.js$/;

interface Place {
  readonly start: { readonly line: number; readonly column: number };
}

/** Of one source file, in the form of Istanbul. */
export interface FileCoverageData {
  readonly path: string;
  readonly statementMap: Readonly<Record<string, Place>>;
  readonly s: Readonly<Record<string, number>>;
}

interface Covered {
  readonly result: Profiler.ScriptCoverage[];
}

/**
 * Reads what processes left in the folder. Of a build that a test removed there is no code left to find statements in: it
 * is not counted.
 *
 * @returns by path of the source file
 */
export async function coverageOfChildren(folder: string, root: string): Promise<Map<string, FileCoverageData>> {
  const found = new Map<string, FileCoverageData>();
  for (const script of (await readAll(folder)).result) {
    const path = fileURLToPath(script.url);
    const source = COMPILED.exec(path)?.[1];
    if (source === undefined || !existsSync(`${path}.map`)) continue;
    const file = await convertScript(path, script);
    if (file !== undefined) found.set(join(root, `${source}.ts`), file);
  }
  return found;
}

/** One file at a time: each holds several megabytes of modules that are not ours. */
async function readAll(folder: string): Promise<Covered> {
  let merged: Covered = { result: [] };
  for (const name of await readdir(folder)) {
    const read = await readCoverage(join(folder, name));
    if (read !== undefined) merged = mergeProcessCovs([merged, read]);
  }
  return merged;
}

/** @returns undefined for what a process had not finished when it was killed */
async function readCoverage(path: string): Promise<Covered | undefined> {
  try {
    const { result } = JSON.parse(await readFile(path, 'utf8')) as Covered;
    return { result: result.filter(({ url }) => COMPILED.test(url)) };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * Vite transforms modules for the build and for Vitest's workers, so that both have the same statements at the same places
 * and can be merged.
 */
async function convertScript(path: string, coverage: Profiler.ScriptCoverage): Promise<FileCoverageData | undefined> {
  const code = await readFile(path, 'utf8');
  const sourceMap = JSON.parse(await readFile(`${path}.map`, 'utf8')) as never;
  const files = await convert({ ast: parseAstAsync(code), code, coverage, sourceMap });
  return Object.values(files)[0];
}

/**
 * Istanbul tells statements apart by start and end. Some default values of parameters end at the end of the line in one of
 * the two transforms, and would count twice.
 *
 * @returns `other` with the places of `file` where a statement starts there
 */
export function alignedWith(file: FileCoverageData, other: FileCoverageData): FileCoverageData {
  const places = new Map(Object.values(file.statementMap).map((place) => [keyOf(place), place]));
  const aligned = Object.entries(other.statementMap).map(([id, place]) => [id, places.get(keyOf(place)) ?? place]);
  return { ...other, statementMap: Object.fromEntries(aligned) as Record<string, Place> };
}

function keyOf({ start }: Place): string {
  return `${start.line}:${start.column}`;
}
