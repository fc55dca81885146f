import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkContract } from '../../../src/contract/changes/check-contract.js';
import { contractFilesOf, writeContract } from '../../../src/contract/contract-files.js';
import type { ContractModel } from '../../../src/contract/contract-model.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const EVENT = { type: 'chat.posted', data: {} };
const MODEL: ContractModel = { homePath: '/ws', requests: [], events: [EVENT], publications: [], schemas: {} };
const FILES = contractFilesOf(MODEL);

describe('a check of the contract', () => {
  it('passes where the files are what the code says', async () => {
    await using folder = await temporaryFolder();
    await writeContract(folder.path, FILES);
    expect(await checkContract(folder.path, FILES)).toMatchObject({ exitCode: 0 });
  });

  it('fails where there are no files, and says how to get them', async () => {
    await using folder = await temporaryFolder();
    expect(await checkContract(folder.path, FILES)).toEqual({
      message: `There is no contract in ${folder.path}. Run: npm run contract, and commit the folder\n`,
      exitCode: 1,
    });
  });

  it('fails where clients break, with a line for each change', async () => {
    await using folder = await temporaryFolder();
    await writeContract(folder.path, FILES);
    const { message, exitCode } = await checkContract(folder.path, contractFilesOf({ ...MODEL, events: [] }));
    expect(exitCode).toBe(1);
    expect(message).toMatch(/^These changes break clients:\n  - removed event: chat\.posted is gone[^\n]+\nUndo them/);
  });

  it('fails with another code where the files are only out of date, and names them', async () => {
    await using folder = await temporaryFolder();
    await writeContract(folder.path, FILES);
    const more = contractFilesOf({ ...MODEL, events: [EVENT, { type: 'chat.new', data: {} }] });
    expect(await checkContract(folder.path, more)).toEqual({
      message: `No client breaks, but ${folder.path} is out of date. Run: npm run contract\n  - asyncapi.json\n  - messages.ts\n  - schemas/chat.new.event.json\n`,
      exitCode: 2,
    });
    await writeContract(folder.path, more);
    expect(await checkContract(folder.path, more)).toMatchObject({ exitCode: 0 });
    await writeFile(join(folder.path, 'messages.ts'), 'edited by hand');
    expect(await checkContract(folder.path, more)).toMatchObject({ exitCode: 2 });
  });

  it('refuses a document that is no JSON, and says which', async () => {
    await using folder = await temporaryFolder();
    await writeContract(folder.path, FILES);
    await writeFile(join(folder.path, 'asyncapi.json'), '{ "asyncapi": <<<<<<< ours');
    expect(await checkContract(folder.path, FILES)).toEqual({
      message: `${join(folder.path, 'asyncapi.json')} is no contract. Run: npm run contract, and commit the folder\n`,
      exitCode: 1,
    });
  });

  it('writes a schema for each message, and removes those of messages that are gone', async () => {
    await using folder = await temporaryFolder();
    await writeContract(folder.path, FILES);
    const schemas = join(folder.path, 'schemas');
    expect(await readdir(schemas)).toEqual(['chat.posted.event.json', 'error.json']);
    expect(JSON.parse(await readFile(join(schemas, 'chat.posted.event.json'), 'utf8'))).toMatchObject({
      $schema: 'http://json-schema.org/draft-07/schema#',
      properties: { type: { const: 'chat.posted' }, channel: { type: 'string' }, data: {} },
      required: ['v', 'type'],
    });
    await writeContract(folder.path, contractFilesOf({ ...MODEL, events: [] }));
    expect(await readdir(schemas)).toEqual(['error.json']);
  });
});
