import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { GeneratorError } from './generator-error.js';

/** Where the parts of a gateway belong in a project. All paths are relative to its root. */
export interface ProjectLayout {
  /** The file with the list of modules that the server loads. */
  readonly list: string;
  /** From that file to the folder with the gateways. */
  readonly gatewaysFromList: string;
  readonly gateways: string;
  /** The path of the test of a gateway. */
  readonly testOf: (file: string) => string;
  /** From that test to the folder of its gateway. */
  readonly folderFromTest: (file: string) => string;
  /** The module that exports `test`. */
  readonly testRunner: string;
}

const GATEWAYS = 'src/gateways';

/** What `npm create gatehouse` makes. */
const OWN_PROJECT: ProjectLayout = {
  list: 'src/features.ts',
  gatewaysFromList: './gateways',
  gateways: GATEWAYS,
  testOf: (file) => `${GATEWAYS}/${file}/${file}.gateway.test.ts`,
  folderFromTest: () => '.',
  testRunner: 'node:test',
};

/** This repository. Its tests are beside the sources, so that the package does not contain them. */
const REPOSITORY: ProjectLayout = {
  list: `${GATEWAYS}/gateways.module.ts`,
  gatewaysFromList: '.',
  gateways: GATEWAYS,
  testOf: (file) => `test/gateways/${file}.spec.ts`,
  folderFromTest: (file) => `../../${GATEWAYS}/${file}`,
  testRunner: 'vitest',
};

/** @throws GeneratorError if the folder is no project that the generator knows */
export function layoutOf(root: string): ProjectLayout {
  const layout = [OWN_PROJECT, REPOSITORY].find(({ list }) => existsSync(join(root, list)));
  if (layout !== undefined) return layout;
  throw new GeneratorError(
    `There is no ${OWN_PROJECT.list} in ${root}. Run the command in the root of a project that "npm create gatehouse" made`,
    'project',
  );
}
