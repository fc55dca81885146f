import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContractModel } from './contract-model.js';
import { asyncApiOf, type AsyncApiDocument } from './rendering/async-api.js';
import { messageSchemasOf } from './rendering/message-schemas.js';
import { typesOf } from './rendering/typescript.js';

/** The contract as files: path below the folder → text. */
export type ContractFiles = ReadonlyMap<string, string>;

export const DOCUMENT_FILE = 'asyncapi.json';
export const TYPES_FILE = 'messages.ts';
const SCHEMAS_FOLDER = 'schemas';

/** Every file of the contract. The same contract gives the same text, on every machine. */
export function contractFilesOf(model: ContractModel): ContractFiles {
  const schemas = Object.entries(messageSchemasOf(model)).map(([key, schema]): [string, string] => [
    join(SCHEMAS_FOLDER, `${key}.json`),
    jsonText(schema),
  ]);
  return new Map([[DOCUMENT_FILE, jsonText(asyncApiOf(model))], [TYPES_FILE, typesOf(model)], ...schemas]);
}

/** Writes the files, and removes the schemas of messages that are gone. */
export async function writeContract(folder: string, files: ContractFiles): Promise<void> {
  await mkdir(join(folder, SCHEMAS_FOLDER), { recursive: true });
  for (const [path, text] of files) await writeFile(join(folder, path), text);
  for (const path of await schemaFilesIn(folder)) if (!files.has(path)) await rm(join(folder, path));
}

/** @returns the paths of files that are missing, that differ, or that should be gone */
export async function staleFiles(folder: string, files: ContractFiles): Promise<string[]> {
  const stale: string[] = [];
  for (const [path, text] of files) if ((await textAt(join(folder, path))) !== text) stale.push(path);
  return [...stale, ...(await schemaFilesIn(folder)).filter((path) => !files.has(path))];
}

/** @returns the document that the folder holds; undefined where there is none */
export async function committedDocument(folder: string): Promise<AsyncApiDocument | 'unreadable' | undefined> {
  const text = await textAt(join(folder, DOCUMENT_FILE));
  if (text === undefined) return undefined;
  try {
    const { operations, components } = JSON.parse(text) as Partial<AsyncApiDocument>;
    const isDocument =
      operations !== undefined && components?.messages !== undefined && components.schemas !== undefined;
    return isDocument ? (JSON.parse(text) as AsyncApiDocument) : 'unreadable';
  } catch {
    return 'unreadable';
  }
}

async function schemaFilesIn(folder: string): Promise<string[]> {
  const names = await readdir(join(folder, SCHEMAS_FOLDER)).catch(() => []);
  return names.filter((name) => name.endsWith('.json')).map((name) => join(SCHEMAS_FOLDER, name));
}

function textAt(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
