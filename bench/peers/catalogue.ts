import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DialectName } from '../load/dialects.js';

export const repositoryFolder = join(import.meta.dirname, '..', '..');
export const benchFolder = join(import.meta.dirname, '..');
/** What the harness calls the copy of a peer's configuration. */
export const configurationFile = 'peer.conf';

export interface Peer {
  readonly name: string;
  readonly dialect: DialectName;
  /** What to run. Node peers get the hooks of gc-on-signal.mjs and loop-monitor.mjs. */
  readonly program: readonly string[];
  /** Whether it has a garbage collector that SIGUSR2 starts. */
  readonly collectsOnSignal: boolean;
  /** A file of bench/peers/ for a program that takes its port from a file; it runs in the folder of its copy. */
  readonly configuration: string | null;
  readonly environment: Readonly<Record<string, string>>;
  readonly ready: Readiness;
  /** How the tokens of its clients are signed. */
  readonly tokens: TokenKind;
  /** Whether it gets a Redis, and may have several nodes. */
  readonly onRedis: boolean;
  /** The file without which it cannot start, and what the reader does about it. */
  readonly needs: { readonly file: string; readonly advice: string; readonly installable: boolean };
}

/** An algorithm whose key the server has in its settings, or RS256 with a key that the server fetches. */
export type TokenKind = 'HS256' | 'RS256' | 'ES256' | 'JWKS';

/** How a peer shows that it serves: by status 200 on a path, or by a line of its output. */
export interface Readiness {
  readonly path: string | null;
  /** Name and version of the peer in the line or in the body of the answer; null: the peer is Gatehouse itself. */
  readonly version: RegExp | null;
  /** What the body of the answer has to contain as well. */
  readonly body?: string;
}

/** Limits stay on, as in production; they are only set so high that the benchmark never meets one. */
const gatehouseEnvironment = {
  HOST: '127.0.0.1',
  AUTH_MODE: 'required',
  LOG_LEVEL: 'warn',
  MESSAGE_RATE: '1000000',
  MESSAGE_BURST: '1000000',
  MESSAGE_RATE_PER_IP: '1000000',
  CONNECTION_RATE_PER_IP: '1000000',
  MAX_CONNECTIONS_PER_IP: '100000',
  MAX_HTTP_CONNECTIONS_PER_IP: '100000',
  MAX_HTTP_CONNECTIONS: '100000',
  MAX_CONNECTIONS_PER_USER: '100000',
  MAX_CONNECTIONS: '100000',
  MAX_PENDING_UPGRADES: '100000',
  OVERLOAD_EVENT_LOOP_LAG_MS: '0',
  CHANNELS_FILE: join(benchFolder, 'peers', 'channels.yaml'),
  MAX_CHANNELS_PER_SESSION: '1000',
};

/** Limits as they are shipped: an attack is to meet them. Tokens are checked, and there is room for no more than needed. */
const attackedEnvironment = {
  HOST: '127.0.0.1',
  AUTH_MODE: 'required',
  LOG_LEVEL: 'warn',
  OUTBOUND_BUDGET_BYTES: '67108864',
  INBOUND_BUDGET_BYTES: '67108864',
  METRICS_ENABLED: 'on',
};

function nodeProgram(file: string): string[] {
  const hooks = ['gc-on-signal.mjs', 'loop-monitor.mjs'].map((hook) => join(benchFolder, 'peers', hook));
  return [process.execPath, '--expose-gc', ...hooks.flatMap((hook) => ['--import', hook]), file];
}

/** A package of bench/package.json, installed on demand. */
function ownPackage(name: string): Peer['needs'] {
  return { file: join(benchFolder, 'node_modules', name), advice: 'npm ci --prefix bench', installable: true };
}

/** A package that the product itself depends on. */
function productPackage(name: string): Peer['needs'] {
  return { file: join(repositoryFolder, 'node_modules', name), advice: 'npm ci', installable: false };
}

const scriptDefaults = {
  collectsOnSignal: true,
  configuration: null,
  environment: {},
  tokens: 'HS256',
  ready: { path: null, version: /^ready (.+)$/m },
  onRedis: false,
} as const;

function scriptPeer(name: string, dialect: DialectName, needs: Peer['needs']): Peer {
  const program = nodeProgram(join(benchFolder, 'peers', `${name}.mjs`));
  return { ...scriptDefaults, name, dialect, program, needs };
}

function gatehousePeer(name: string, entry: string, advice: string): Peer {
  const file = join(repositoryFolder, 'dist', entry);
  return {
    ...scriptDefaults,
    name,
    dialect: 'gatehouse',
    program: nodeProgram(file),
    environment: gatehouseEnvironment,
    ready: { path: '/ready', version: null },
    needs: { file, advice, installable: false },
  };
}

/** npm leaves Bun's postinstall aside, so the platform's binary is called by its own path. */
function bunPeer(): Peer {
  const needs = ownPackage(`@oven/bun-${process.platform}-${process.arch.replace('arm64', 'aarch64')}/bin/bun`);
  const program = [needs.file, join(benchFolder, 'peers', 'bun.mjs')];
  return { ...scriptDefaults, name: 'bun', dialect: 'plain', program, needs };
}

/** A program in C that the system's package manager installs. */
const systemDefaults = { ...scriptDefaults, collectsOnSignal: false } as const;

function systemPackage(file: string, name: string): Peer['needs'] {
  return { file, advice: `apt-get install ${name}`, installable: false };
}

/** The module of nginx publishes what a client sends as it is, so its messages are those of bare ws. */
const nchan: Peer = {
  ...systemDefaults,
  name: 'nchan',
  dialect: 'plain',
  program: ['/usr/sbin/nginx', '-p', '.', '-c', configurationFile, '-e', 'stderr'],
  configuration: 'nchan.conf',
  ready: { path: '/ready', version: /(nchan) version: (\S+)/ },
  needs: systemPackage('/usr/lib/nginx/modules/ngx_nchan_module.so', 'libnginx-mod-nchan'),
};

const mosquitto: Peer = {
  ...systemDefaults,
  name: 'mosquitto',
  dialect: 'mqtt',
  program: ['/usr/sbin/mosquitto', '-c', configurationFile],
  configuration: 'mosquitto.conf',
  ready: { path: null, version: /(mosquitto) version (\S+) running/ },
  needs: systemPackage('/usr/sbin/mosquitto', 'mosquitto'),
};

/** Ready when all workers are: what connects before is not spread over them. */
function workersPeer(count: number): Peer {
  const peer = gatehousePeer('gatehouse-workers', 'src/main.js', 'npm run build');
  return {
    ...peer,
    environment: { ...gatehouseEnvironment, WORKERS: String(count) },
    ready: { ...peer.ready, body: `"ready":${count}` },
  };
}

function tokensPeer(name: string, tokens: TokenKind): Peer {
  return { ...gatehousePeer(name, 'src/main.js', 'npm run build'), tokens };
}

/** Nobody takes its spans, so most find no room: what they cost until they would leave is what is measured. */
function tracedPeer(name: string, share: string): Peer {
  const peer = gatehousePeer(name, 'src/main.js', 'npm run build');
  const tracing = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: share,
  };
  return { ...peer, environment: { ...peer.environment, ...tracing } };
}

export const peers: readonly Peer[] = [
  gatehousePeer('gatehouse', 'src/main.js', 'npm run build'),
  gatehousePeer('gatehouse-roles', 'bench/gatehouse-server.js', 'npx tsc -p bench/tsconfig.server.json'),
  gatehousePeer(
    'gatehouse-metrics-in-turns',
    'bench/gatehouse-metrics-in-turns.js',
    'npx tsc -p bench/tsconfig.server.json',
  ),
  tracedPeer('gatehouse-tracing-none', '0'),
  tracedPeer('gatehouse-tracing-all', '1'),
  workersPeer(2),
  tokensPeer('gatehouse-rs256', 'RS256'),
  tokensPeer('gatehouse-es256', 'ES256'),
  tokensPeer('gatehouse-jwks', 'JWKS'),
  { ...gatehousePeer('gatehouse-attacked', 'src/main.js', 'npm run build'), environment: attackedEnvironment },
  // In `scene`: state with areas, and publications in a channel for each cell; as single frames, and as compressed lists.
  gatehousePeer('gatehouse-publish', 'src/main.js', 'npm run build'),
  { ...gatehousePeer('gatehouse-batch', 'src/main.js', 'npm run build'), dialect: 'gatehouse-batch' },
  { ...gatehousePeer('gatehouse-publish-batch', 'src/main.js', 'npm run build'), dialect: 'gatehouse-batch' },
  scriptPeer('colyseus', 'colyseus', ownPackage('@colyseus/core')),
  scriptPeer('bare-ws', 'plain', ownPackage('ws')),
  {
    ...gatehousePeer('gatehouse-deflate', 'src/main.js', 'npm run build'),
    dialect: 'gatehouse-deflate',
    environment: { ...gatehouseEnvironment, COMPRESS_FROM_BYTES: '256' },
  },
  {
    ...scriptPeer('bare-ws', 'plain-deflate', ownPackage('ws')),
    name: 'bare-ws-deflate',
    environment: { COMPRESS: '1' },
  },
  scriptPeer('stock-nest', 'nest', productPackage('@nestjs/platform-ws')),
  scriptPeer('socket-io', 'socket-io', ownPackage('socket.io')),
  { ...gatehousePeer('gatehouse-redis', 'src/main.js', 'npm run build'), onRedis: true },
  {
    ...scriptPeer('socket-io', 'socket-io', ownPackage('@socket.io/redis-adapter')),
    name: 'socket-io-redis',
    onRedis: true,
  },
  bunPeer(),
  nchan,
  mosquitto,
];

export function peerNamed(name: string): Peer {
  const peer = peers.find((candidate) => candidate.name === name);
  if (peer) return peer;
  throw new Error(`unknown peer "${name}"; there are ${peers.map((known) => known.name).join(', ')}`);
}

export function productVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(repositoryFolder, 'package.json'), 'utf8'));
  const { name, version } = manifest as { name: string; version: string };
  return `${name} ${version}`;
}

export function isPresent(peer: Peer): boolean {
  return existsSync(peer.needs.file);
}
