import { spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnBound, type BoundOptions } from '../support/bound-process.js';
import { eventually } from '../support/eventually.js';
import { fetch } from '../support/fetch.js';
import { freePort } from '../support/free-port.js';
import { requireProgram } from '../support/require-program.js';

export type ProxyKind = 'nginx' | 'haproxy';

interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface ProxySetup {
  readonly certificate?: Certificate;
  /** WebSockets that HAProxy lets an address have, in the place of what its configuration says. */
  readonly perAddress?: number;
}

interface Ports {
  readonly port: number;
  /** Where wss:// ends; undefined where it was given no certificate. */
  readonly tlsPort: number | undefined;
  /** Of nginx, for its own container. */
  readonly healthPort: number;
}

/**
 * A proxy with the configuration that deploy/ has, but for the addresses it listens on, those of the nodes, and where it may
 * write. `await using` ends it.
 */
export class ProxyProcess implements AsyncDisposable {
  private constructor(
    readonly ports: Ports,
    private readonly folder: string,
    private readonly child: ChildProcess,
    /** All that it has logged, errors included. */
    readonly log: () => string,
  ) {}

  static async start(kind: ProxyKind, nodes: readonly number[], setup: ProxySetup = {}): Promise<ProxyProcess> {
    const program = requireProgram(kind);
    const folder = mkdtempSync(join(tmpdir(), `gatehouse-${kind}-`));
    const tlsPort = setup.certificate && (await freePort());
    const ports = { port: await freePort(), tlsPort, healthPort: await freePort() };
    const setUp = { folder, nodes, ...setup, ...ports };
    const [file, parameters] = kind === 'nginx' ? setUpNginx(setUp) : setUpHaproxy(setUp);
    const checked = spawnSync(program, [...parameters, kind === 'nginx' ? '-t' : '-c'], { encoding: 'utf8' });
    if (checked.status !== 0) throw new Error(`${file} cannot be used: ${checked.stderr}${checked.stdout}`);

    // Told to end and not killed, nginx takes its workers along.
    const options: BoundOptions = { stdio: ['ignore', 'pipe', 'pipe'], deathSignal: 'TERM' };
    const child = spawnBound(
      program,
      [...parameters, ...(kind === 'nginx' ? ['-g', 'daemon off;'] : ['-db'])],
      options,
    );
    let written = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (text: Buffer) => (written += text.toString()));
    const log = (): string => written + (kind === 'nginx' ? readFileSync(join(folder, 'access.log'), 'utf8') : '');
    const proxy = new ProxyProcess(ports, folder, child, log);
    const isUp = async (): Promise<boolean> => {
      if (child.exitCode !== null) throw new Error(`${kind} has ended: ${written}`);
      return answers(ports.port);
    };
    await eventually(`${kind} answers`, isUp);
    return proxy;
  }

  get port(): number {
    return this.ports.port;
  }

  get tlsPort(): number | undefined {
    return this.ports.tlsPort;
  }

  /** Resolves once it has ended. */
  async stop(signal: NodeJS.Signals): Promise<void> {
    const ended = once(this.child, 'close');
    this.child.kill(signal);
    if (this.child.exitCode === null && this.child.signalCode === null) await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGTERM');
    rmSync(this.folder, { recursive: true });
  }
}

interface SetUp extends ProxySetup, Ports {
  readonly folder: string;
  readonly nodes: readonly number[];
}

type Command = readonly [file: string, parameters: readonly string[]];

function setUpNginx({ folder, nodes, port, tlsPort, healthPort, certificate }: SetUp): Command {
  cpSync('deploy/nginx', folder, { recursive: true });
  const file = join(folder, 'nginx.conf');
  edit(file, [
    ['listen 8080;', `listen 127.0.0.1:${port};`],
    ['listen 127.0.0.1:8081;', `listen 127.0.0.1:${healthPort};`],
    [/ \/tmp\//g, ` ${folder}/`],
    ['/dev/stdout', join(folder, 'access.log')],
    ...(certificate ? ([['# include tls.conf;', 'include tls.conf;']] as const) : []),
  ]);
  edit(join(folder, 'upstream.conf'), [
    [/^resolver .*$/m, ''],
    [/server gatehouse:8080 resolve (.*)$/m, nodes.map((node) => `server 127.0.0.1:${node} $1`).join('\n')],
  ]);
  if (certificate) {
    edit(join(folder, 'tls.conf'), [
      ['listen 8443 ssl;', `listen 127.0.0.1:${tlsPort} ssl;`],
      ['/etc/nginx/tls/tls.crt', certificate.certFile],
      ['/etc/nginx/tls/tls.key', certificate.keyFile],
    ]);
  }
  return [file, ['-c', file, '-p', folder]];
}

function setUpHaproxy({ folder, nodes, port, tlsPort, certificate, perAddress }: SetUp): Command {
  cpSync('deploy/haproxy', folder, { recursive: true });
  const file = join(folder, 'haproxy.cfg');
  const servers = nodes.map((node, index) => `server node${index + 1} 127.0.0.1:${node}`);
  edit(file, [
    // Of more than this machine may let it have, it dies.
    ['  maxconn 20000\n', '  maxconn 500\n'],
    ...(perAddress === undefined ? [] : ([[/(sc1_conn_cur gt) \d+/, `$1 ${perAddress}`]] as const)),
    ['bind :8080', `bind 127.0.0.1:${port}`],
    [/server-template node .*$/m, servers.join('\n')],
  ]);
  if (certificate) {
    const both = join(folder, 'tls.pem');
    writeFileSync(
      both,
      [certificate.certFile, certificate.keyFile].map((name) => readFileSync(name, 'utf8')).join('\n'),
    );
    edit(file, [
      ['# bind :8443', `bind 127.0.0.1:${tlsPort}`],
      ['/etc/haproxy/tls.pem', both],
    ]);
  }
  return [file, ['-f', file]];
}

/** What is not there cannot be replaced: then it is another file that would be tested. */
function edit(file: string, changes: readonly (readonly [what: string | RegExp, by: string])[]): void {
  let text = readFileSync(file, 'utf8');
  for (const [what, by] of changes) {
    const changed = text.replace(what, by);
    if (changed === text) throw new Error(`${file} has no ${what.toString()}`);
    text = changed;
  }
  writeFileSync(file, text);
}

async function answers(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/`).then(
    () => true,
    () => false,
  );
}
