#!/usr/bin/env node
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const USAGE = `Usage: npm create gatehouse <folder>

Makes a project for a Gatehouse server with gateways of your own. The folder must be empty or not exist yet. Its name
becomes the name of the package.

  --help      print this text
  --version   print the version

Exit codes: 0 done, 1 the folder cannot be used, 2 wrong usage.
`;

const TEMPLATE = fileURLToPath(new URL('template', import.meta.url));
/** npm leaves some of these names out of a package, and tools in our repository would take others for their own. */
const NAMES = {
  '_package.json': 'package.json',
  '_tsconfig.json': 'tsconfig.json',
  _env: '.env',
  _gitignore: '.gitignore',
  _dockerignore: '.dockerignore',
};
const WITH_NAME = ['package.json', 'README.md', 'Dockerfile'];
const PACKAGE_NAME = /^[a-z0-9][a-z0-9._-]*$/;
const MAX_NAME_LENGTH = 214;
const FAILED = 1;
const WRONG_USAGE = 2;

/** The project cannot be made. The message says what to do instead. */
class Refusal extends Error {
  /**
   * @param {string} message
   * @param {number} exitCode
   */
  constructor(message, exitCode) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Returns what to print. */
function run() {
  const { values, positionals } = argumentsOfProcess();
  if (values.help) return USAGE;
  if (values.version) return `${versionOfPackage()}\n`;
  const [folder] = positionals;
  if (folder === undefined || positionals.length > 1) throw new Refusal(`Name one folder.\n\n${USAGE}`, WRONG_USAGE);
  const target = resolve(folder);
  createProject(target, nameOf(target));
  const path = relative(process.cwd(), target);
  const steps = [...(path === '' ? [] : [`cd ${path}`]), 'npm install', 'npm start'];
  return `Created ${basename(target)}. Next:\n\n${steps.map((step) => `  ${step}\n`).join('')}`;
}

function argumentsOfProcess() {
  try {
    const options = { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean', short: 'v' } };
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    throw new Refusal(`${error.message}\n\n${USAGE}`, WRONG_USAGE);
  }
}

/** @param {string} target */
function nameOf(target) {
  const name = basename(target);
  if (PACKAGE_NAME.test(name) && name.length <= MAX_NAME_LENGTH && name !== 'node_modules') return name;
  throw new Refusal(
    `"${name}" cannot be the name of a package. Use small letters, digits, hyphens, dots and underscores, and begin with a letter or digit: my-app`,
    WRONG_USAGE,
  );
}

/**
 * @param {string} target
 * @param {string} name
 */
function createProject(target, name) {
  try {
    mkdirSync(target, { recursive: true });
    // A repository that was made first is fine.
    const [present] = readdirSync(target).filter((entry) => entry !== '.git');
    if (present !== undefined)
      throw new Refusal(`${target} is not empty: there is ${present}. Name another folder, or empty this one`, FAILED);
    cpSync(TEMPLATE, target, { recursive: true });
    for (const [from, to] of Object.entries(NAMES)) renameSync(join(target, from), join(target, to));
    for (const file of WITH_NAME) {
      const path = join(target, file);
      writeFileSync(path, readFileSync(path, 'utf8').replaceAll('{{name}}', name));
    }
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(`${target} cannot be written: ${error.message}`, FAILED);
  }
}

/** @returns {string} */
function versionOfPackage() {
  return JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')).version;
}

try {
  process.stdout.write(run());
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.exitCode;
}
