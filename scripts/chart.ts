import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DEFINITIONS } from '../config/definitions.js';
import type { Setting } from '../config/setting.js';
import { has, pathOf } from '../test/support/programs.js';

export const CHART = 'deploy/helm/gatehouse';
/** The chart with its defaults, a file a template. */
export const MANIFESTS = 'deploy/kubernetes';
/** The chart with each set of values of its folder ci. */
export const RENDERED = 'test/deploy/rendered';

/** The oldest that Chart.yaml allows; without it Helm takes the Kubernetes that it was built with. */
const KUBERNETES = '1.30.0';
/** What is true of Helm's releases only. */
const OF_HELM = /^ +(?:app\.kubernetes\.io\/managed-by|helm\.sh\/chart): .*\n/gm;

/** Settings that the chart derives from other values, or that would break it. */
const OWN_SETTINGS = new Set([
  'PORT',
  'HOST',
  'SERVER_ID',
  'PUBLIC_URL',
  'INTERNAL_PORT',
  'INTERNAL_TLS',
  'DRAIN_TIMEOUT_MS',
  'CHANNELS_FILE',
  'HOOKS_FILE',
  'BRIDGES_FILE',
  'TLS_CERT_FILE',
  'TLS_KEY_FILE',
  'EDGE_UPSTREAM',
  'EDGE_TOKEN',
  'EDGE_TOKEN_FILE',
  'EDGE_DIR',
  'EDGE_FILE',
]);
/** Of a setting that names a file the schema checks the text, which it cannot read in a Secret. WS_PATH is part of URLs. */
const namesFile = ({ env, unit }: Setting<unknown>): boolean => unit === 'path' && env !== 'WS_PATH';
/** Not shown by the server, for a mistyped one may hold a secret; the chart's schema looks for that. */
const PLAIN_ALL_THE_SAME = new Set(['JWT_PUBLIC_KEY', 'JWT_JWKS_URL', 'REDIS_URL']);

const DEFINED: readonly Setting<unknown>[] = Object.values(DEFINITIONS).flatMap((group) => Object.values(group));

/** What `settings` and `secretSettings` of the chart may name. */
export function chartSettings(): { readonly settings: string[]; readonly secretSettings: string[] } {
  const free = DEFINED.filter(({ env }) => !OWN_SETTINGS.has(env));
  return {
    settings: free.filter(({ env, secret }) => !secret || PLAIN_ALL_THE_SAME.has(env)).map(({ env }) => env),
    secretSettings: free.filter((setting) => !namesFile(setting)).map(({ env }) => env),
  };
}

/** Sets of values by name, as chart-testing looks for them. */
export function valueSets(): ReadonlyMap<string, string> {
  const files = readdirSync(join(CHART, 'ci')).toSorted();
  return new Map(files.map((file) => [file.replace('-values.yaml', ''), join(CHART, 'ci', file)]));
}

/** Of all that decides what is rendered; the schema of the values does not. */
export function chartDigest(): string {
  return digestOf([join(CHART, 'Chart.yaml'), join(CHART, 'values.yaml'), ...filesIn('templates'), ...filesIn('ci')]);
}

export function digestOf(paths: readonly string[]): string {
  const hash = createHash('sha256');
  for (const path of paths) hash.update(`${path}\0`).update(readFileSync(path)).update('\0');
  return hash.digest('hex');
}

function filesIn(folder: string): string[] {
  return readdirSync(join(CHART, folder))
    .toSorted()
    .map((name) => join(CHART, folder, name));
}

export function hasHelm(): boolean {
  return has('helm');
}

/** @throws Error with what Helm says */
export function helm(...parameters: string[]): string {
  const { status, stdout, stderr } = spawnSync(pathOf('helm') ?? 'helm', parameters, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`helm ${parameters.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

/** What `helm template` makes of the chart: YAML by the name of its template. */
export function renderChart(...parameters: string[]): ReadonlyMap<string, string> {
  const text = helm(
    'template',
    'gatehouse',
    CHART,
    '--namespace=gatehouse',
    `--kube-version=${KUBERNETES}`,
    ...parameters,
  );
  const files = new Map<string, string>();
  for (const part of text.split(/^---$/m)) {
    const source = /^# Source: (\S+)\n/m.exec(part);
    if (source === null) continue;
    const [line, path = ''] = source;
    const manifest = part.replace(line, '').replaceAll(OF_HELM, '').trim();
    const before = files.get(basename(path));
    files.set(basename(path), before === undefined ? manifest : `${before}\n---\n${manifest}`);
  }
  return new Map([...files].toSorted(([one], [other]) => one.localeCompare(other)));
}
