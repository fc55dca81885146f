import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadFeatures } from '../../src/features-file.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';

describe('FEATURES_FILE', () => {
  let folder: TemporaryFolder;
  // Where the packages are found that a file imports.
  beforeAll(async () => void (folder = await temporaryFolder('node_modules')));
  afterAll(() => folder[Symbol.asyncDispose]());

  let count = 0;
  async function load(text: string, name = 'features.mjs') {
    count += 1;
    const file = join(folder.path, `${count}-${name}`);
    await writeFile(file, text);
    return loadFeatures(file);
  }

  const MODULE = `import { Module } from '@nestjs/common';
    class PollModule {}
    Module({ providers: [] })(PollModule);`;

  it('is not needed', async () => {
    expect(await loadFeatures(undefined)).toEqual([]);
  });

  it.each([
    ['a module', `${MODULE} export default PollModule;`],
    ['a dynamic module', 'export default { module: class PollModule {} };'],
    ['a list of modules', `${MODULE} export default [PollModule, { module: PollModule }];`],
  ])('exports %s', async (_what, text) => {
    const features = await load(text);
    for (const feature of features) expect('module' in feature ? feature.module.name : feature.name).toBe('PollModule');
    expect(features.length).toBeGreaterThan(0);
  });

  it('may be CommonJS that was compiled from `export default`', async () => {
    const text = `exports.__esModule = true; exports.default = { module: class PollModule {} };`;
    expect(await load(text, 'features.cjs')).toEqual([{ module: expect.any(Function) as unknown }]);
  });

  it.each([
    ['has no default export', 'export const PollModule = 1;', 'has no default export. Add: export default YourModule'],
    ['exports no module', 'export default class Poll {}', 'but Poll is not a module. Put @Module('],
    ['exports a list with something else in it', 'export default [{ module: class {} }, 1];', 'but 1 is not a module'],
    ['imports a package that is missing', "import 'not-installed';", 'imports a module that is not installed: Cannot'],
    ['throws', "throw new Error('no database');", 'failed to load: Error: no database'],
    ['is TypeScript', 'export default class Poll {}', 'Compile it, and set the path of the .js file', 'features.ts'],
  ])('is refused, and the error says why, if it %s', async (_what, text, fault, name?: string) => {
    const refused = await load(text, name).catch((error: Error) => error.message);
    expect(refused).toContain('FEATURES_FILE: ');
    expect(refused).toContain(fault);
  });

  it('is refused if it is missing, with its whole path', async () => {
    await expect(loadFeatures('./nowhere.js')).rejects.toThrow(/FEATURES_FILE: there is no file \/.*\/nowhere\.js/);
  });
});
