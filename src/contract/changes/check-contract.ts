import { join } from 'node:path';
import { committedDocument, DOCUMENT_FILE, staleFiles, type ContractFiles } from '../contract-files.js';
import type { AsyncApiDocument } from '../rendering/async-api.js';
import { breakingChanges } from './contract-changes.js';

/** What a check found, for people and for CI. */
export interface Finding {
  readonly message: string;
  /** 0: the files are current. 1: something breaks clients, or there are no files. 2: the files are out of date. */
  readonly exitCode: 0 | 1 | 2;
}

const ADVICE_TO_WRITE = 'Run: npm run contract, and commit the folder\n';
const ADVICE = `Undo them, or add a type or field beside the old one. If you mean them, run: npm run contract, and commit the folder\n`;

/** Compares the contract of the program with the files of a folder. */
export async function checkContract(folder: string, files: ContractFiles): Promise<Finding> {
  const before = await committedDocument(folder);
  if (before === 'unreadable')
    return { message: `${join(folder, DOCUMENT_FILE)} is no contract. ${ADVICE_TO_WRITE}`, exitCode: 1 };
  if (before === undefined)
    return {
      message: `There is no contract in ${folder}. ${ADVICE_TO_WRITE}`,
      exitCode: 1,
    };
  const after = JSON.parse(files.get(DOCUMENT_FILE) ?? '{}') as AsyncApiDocument;
  const changes = breakingChanges(before, after);
  if (changes.length > 0) {
    const lines = changes.map(({ kind, sentence }) => `  - ${kind}: ${sentence}\n`);
    return { message: `These changes break clients:\n${lines.join('')}${ADVICE}`, exitCode: 1 };
  }
  const stale = await staleFiles(folder, files);
  if (stale.length === 0) return { message: `The contract in ${folder} is current\n`, exitCode: 0 };
  const names = stale.map((path) => `  - ${path}\n`).join('');
  return { message: `No client breaks, but ${folder} is out of date. Run: npm run contract\n${names}`, exitCode: 2 };
}
