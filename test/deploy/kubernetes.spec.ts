import { Ajv } from 'ajv';
import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFINITIONS } from '../../config/definitions.js';
import type { Setting } from '../../config/setting.js';
import { loadSettings, type Environment, type Settings } from '../../config/settings.js';
import {
  CHART,
  chartDigest,
  chartSettings,
  digestOf,
  helm,
  MANIFESTS,
  RENDERED,
  renderChart,
  valueSets,
} from '../../scripts/chart.js';
import { read, section, table } from '../docs/markdown.js';
import { CertificateFolder, makeCertificate } from '../support/certificates.js';
import { requireProgram } from '../support/require-program.js';
import { faultsOf } from './kubernetes-schemas.js';
import { brokenRules, RULES } from './manifest-rules.js';
import { manifestFiles, manifestsOf, one, readManifests, readValues, renderings, type Manifest } from './manifests.js';
import { POD_NAME, podEnvironment, settingsNamed } from './pod-environment.js';

const RENDERINGS = renderings();
const DEFAULTS = rendering('defaults');
/** Has one of each kind. */
const WITH_INGRESS = rendering('ingress');
const SETTINGS: readonly Setting<unknown>[] = Object.values(DEFINITIONS).flatMap((group) => Object.values(group));
/** Those that name a file, a folder or a socket. WS_PATH is a path of URLs, and FEATURES_FILE is part of an image. */
const FILES = SETTINGS.filter(({ env, unit }) => unit === 'path' || /_(?:FILE|DIR|SOCKET|CERTIFICATE)$/.test(env))
  .map(({ env }) => env)
  .filter((env) => env !== 'WS_PATH' && env !== 'FEATURES_FILE');
const OF_EDGES = SETTINGS.map(({ env }) => env).filter((env) => env.startsWith('EDGE_') && env !== 'EDGE_CENTRE');
type Change = [what: string, kind: string, path: string, value: unknown];

const POD = 'spec.template.spec';
const CONTAINER = `${POD}.containers.0`;
const NOBODY = { 'example.com/nobody': 'none' };

/** What breaks each rule, and only that one: the kind, the field, and its value. */
const BREACHES: Readonly<Record<string, [kind: string, path: string, value: unknown]>> = {
  'run-as-non-root': ['Deployment', `${POD}.securityContext.runAsUser`, 0],
  'no-read-only-root-fs': ['Deployment', `${CONTAINER}.securityContext.readOnlyRootFilesystem`, undefined],
  'privilege-escalation-container': ['Deployment', `${CONTAINER}.securityContext.allowPrivilegeEscalation`, true],
  'privileged-container': ['Deployment', `${CONTAINER}.securityContext.privileged`, true],
  'drop-all-capabilities': ['Deployment', `${CONTAINER}.securityContext.capabilities`, { drop: ['NET_RAW'] }],
  'unsafe-seccomp-profile': ['Deployment', `${POD}.securityContext.seccompProfile.type`, 'Unconfined'],
  'host-network': ['Deployment', `${POD}.hostNetwork`, true],
  'automount-service-account-token': ['Deployment', `${POD}.automountServiceAccountToken`, undefined],
  'unset-cpu-requirements': ['Deployment', `${CONTAINER}.resources.limits.cpu`, undefined],
  'unset-memory-requirements': ['Deployment', `${CONTAINER}.resources.limits.memory`, undefined],
  'latest-tag': ['Deployment', `${CONTAINER}.image`, 'registry.example.com:5000/gatehouse'],
  'no-liveness-probe': ['Deployment', `${CONTAINER}.livenessProbe.httpGet.path`, '/ready'],
  'no-readiness-probe': ['Deployment', `${CONTAINER}.readinessProbe.httpGet.path`, '/health'],
  'no-startup-probe': ['Deployment', `${CONTAINER}.startupProbe.httpGet.path`, '/'],
  'probe-port': ['Deployment', `${CONTAINER}.livenessProbe.httpGet.port`, 'health'],
  'env-var-secret': ['Deployment', `${CONTAINER}.env.2.name`, 'JWT_SECRET'],
  'minimum-three-replicas': ['HorizontalPodAutoscaler', 'spec.minReplicas', 1],
  'no-rolling-update-strategy': ['Deployment', 'spec.strategy.rollingUpdate.maxUnavailable', 1],
  'no-anti-affinity': ['Deployment', `${POD}.topologySpreadConstraints`, []],
  'mismatching-selector': ['Deployment', 'spec.selector.matchLabels', NOBODY],
  'dangling-service': ['Service', 'spec.selector', NOBODY],
  'dangling-networkpolicy': ['NetworkPolicy', 'spec.podSelector.matchLabels', NOBODY],
  'dangling-poddisruptionbudget': ['PodDisruptionBudget', 'spec.selector.matchLabels', NOBODY],
  'pdb-max-unavailable': ['PodDisruptionBudget', 'spec.maxUnavailable', 0],
  'dangling-horizontalpodautoscaler': ['HorizontalPodAutoscaler', 'spec.scaleTargetRef.name', 'another'],
  'dangling-servicemonitor': ['ServiceMonitor', 'spec.endpoints.0.port', 'clients'],
  'dangling-ingress': ['Ingress', 'spec.rules.0.http.paths.0.backend.service.port.name', 'http'],
  'non-existent-service-account': ['Deployment', `${POD}.serviceAccountName`, 'another'],
  'grace-period': ['Deployment', `${POD}.terminationGracePeriodSeconds`, 25],
  'autoscaler-and-replicas': ['Deployment', 'spec.replicas', 3],
  'service-links': ['Deployment', `${POD}.enableServiceLinks`, undefined],
  'unnamed-port': ['NetworkPolicy', 'spec.ingress.0.ports.0.port', 8080],
  'open-internal-port': ['NetworkPolicy', 'spec.ingress.1.from', undefined],
  'unmounted-volume': ['Deployment', `${CONTAINER}.volumeMounts`, []],
  'stale-volume': ['Deployment', `${CONTAINER}.volumeMounts.0.subPath`, 'here'],
};

const RENDER = 'run `npx tsx scripts/render-chart.ts`';

describe.each(RENDERINGS)('what the chart renders: %s', (_name, manifests) => {
  it('is taken by Kubernetes, which would refuse an unknown field', () => {
    expect(manifests.flatMap(faultsOf)).toEqual([]);
  });

  it('breaks no rule', () => {
    expect(brokenRules(manifests)).toEqual([]);
  });

  it('names settings that exist, and the server accepts them', async () => {
    const known = new Set(SETTINGS.map(({ env }) => env));
    expect(settingsNamed(manifests).filter((name) => !known.has(name))).toEqual([]);
    const { server, internal, lifecycle, tls } = await settingsOfPod(manifests);
    expect(server).toMatchObject({ environment: 'production', port: 8080, serverId: POD_NAME });
    expect(internal).toMatchObject({ port: 9090, host: '0.0.0.0', metricsEnabled: 'on' });
    expect(lifecycle.drainTimeoutMs % 1_000).toBe(0);
    const { readinessProbe, livenessProbe } = one(manifests, 'Deployment').spec.template.spec.containers[0] ?? {};
    expect(readinessProbe?.httpGet.scheme).toBe(tls.certFile === undefined ? 'HTTP' : 'HTTPS');
    expect(livenessProbe?.httpGet.scheme).toBe(internal.tls === 'on' ? 'HTTPS' : 'HTTP');
  });
});

describe('the schemas and the rules', () => {
  it.each([
    ['a field that is misspelt', 'Deployment', 'spec.template.spec.securityContext.runAsNonroot', true],
    ['a field that is missing', 'Deployment', 'spec.template.spec.containers.0.ports.0.containerPort', undefined],
    ['a value of the wrong type', 'HorizontalPodAutoscaler', 'spec.maxReplicas', 'many'],
    ['a value that there is not', 'Service', 'spec.type', 'Balancer'],
    ['a misspelt field of a custom resource', 'ServiceMonitor', 'spec.endpoints.0.bearer', 'token'],
  ] as Change[])('find %s', (_what, ...change) => {
    expect(changed(WITH_INGRESS, ...change).flatMap(faultsOf)).toHaveLength(1);
  });

  it.each(Object.keys(RULES))('find %s', (rule) => {
    const [kind, path, value] = BREACHES[rule] ?? [];
    if (kind === undefined || path === undefined) throw new Error('say what breaks it among the BREACHES');
    expect(brokenRules(changed(WITH_INGRESS, kind, path, value))).toEqual([rule]);
  });
});

describe('the values', () => {
  const values = readValues(join(CHART, 'values.yaml'));
  const schema = JSON.parse(read(join(CHART, 'values.schema.json'))) as Schema;
  const accepts = new Ajv({ strict: false }).compile(schema);

  it.each([['values.yaml', {}], ...[...valueSets()].map(([name, path]) => [name, readValues(path)])] as [
    string,
    Values,
  ][])('are accepted: %s', (_name, given) => {
    expect(accepts(merged(values, given)), JSON.stringify(accepts.errors)).toBe(true);
  });

  it.each([
    ['a misspelt value', { autoscalling: { enabled: false } }],
    ['a misspelt setting', { settings: { MAX_CONECTIONS: '10' } }],
    ['a secret in plain', { settings: { JWT_SECRET: 'x'.repeat(32) } }],
    ['a password in plain', { settings: { REDIS_URL: 'redis://:secret@redis:6379' } }],
    ['a setting that the chart derives', { settings: { DRAIN_TIMEOUT_MS: '1000' } }],
    ['a number that YAML may write as 1e+07', { settings: { MAX_MESSAGE_BYTES: 10_000_000 } }],
    ['an unquoted on', { settings: { REQUIRE_TLS: true } }],
    ['the tag latest', { image: { tag: 'latest' } }],
    ...[...FILES, ...OF_EDGES].flatMap((env) => [
      [`${env}, which names what the pod does not have`, { settings: { [env]: '/nowhere/x' } }],
      [`${env} out of a Secret`, { secretSettings: { [env]: { name: 'a', key: 'b' } } }],
    ]),
    ['no limit of memory', { resources: { limits: { memory: undefined } } }],
  ] as [string, Values][])('are refused with %s', (_what, given) => {
    expect(accepts(JSON.parse(JSON.stringify(merged(values, given))))).toBe(false);
  });

  it('may name files where the pod can write, or has them mounted', () => {
    const settings = {
      LOG_DIR: '/tmp/logs',
      DIAGNOSTICS_DIR: '/tmp',
      AUDIT_FILE: '/tmp/audit.log',
      WORKERS_SOCKET: '/tmp/workers.sock',
      OTEL_EXPORTER_OTLP_CERTIFICATE: '/etc/gatehouse/trusted/ca.crt',
      OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE: '/etc/gatehouse/trusted/ca.crt',
    };
    expect(accepts(merged(values, { settings })), JSON.stringify(accepts.errors)).toBe(true);
  });

  it('know every setting that may be set', () => {
    const { settings, secretSettings } = schema.properties;
    const written = { settings: settings.propertyNames.enum, secretSettings: secretSettings.propertyNames.enum };
    expect(written, `${RENDER}; without helm it does only this`).toEqual(chartSettings());
  });

  it('are used, every one, and no others are', () => {
    const templates = readdirSync(join(CHART, 'templates')).map((name) => read(join(CHART, 'templates', name)));
    const used = new Set(
      templates.flatMap((text) => [...text.matchAll(/\.Values\.([\w.]*\w)/g)].map(([, path = '']) => path)),
    );
    const leaves = leavesOf(values);
    const isOpen = (path: string): boolean => path.startsWith('settings.');
    const exists = (path: string): boolean => leaves.some((leaf) => leaf === path || leaf.startsWith(`${path}.`));
    expect([...used].filter((path) => !isOpen(path) && !exists(path))).toEqual([]);
    expect(leaves.filter((leaf) => ![...used].some((path) => leaf === path || leaf.startsWith(`${path}.`)))).toEqual(
      [],
    );
  });
});

describe('the chart', () => {
  it('has the version of the package', () => {
    const { version } = JSON.parse(read('package.json')) as { version: string };
    expect(readValues(join(CHART, 'Chart.yaml'))).toMatchObject({ version, appVersion: version });
  });

  it('is what the committed manifests were rendered from, and nobody has changed these since', () => {
    const written = [
      ...manifestFiles().map((name) => join(MANIFESTS, name)),
      ...[...valueSets().keys()].map((name) => join(RENDERED, `${name}.yaml`)),
    ];
    const found = { chart: chartDigest(), manifests: digestOf(written.toSorted()) };
    expect(found, RENDER).toEqual(JSON.parse(read(join(RENDERED, 'checksums.json'))));
  });

  it('runs as the account that the image is made for', () => {
    const user = /^USER (\d+):(\d+)$/m.exec(read('deploy/Dockerfile')) ?? [];
    const { securityContext } = one(DEFAULTS, 'Deployment').spec.template.spec;
    expect(user.slice(1).map(Number)).toEqual([securityContext.runAsUser, securityContext.runAsGroup]);
  });

  it('scales by a metric that the server has, and prometheus-adapter is told of', () => {
    const metrics = table(section(read('docs/metrics.md'), '## Catalogue'), 'name').map(({ name }) => name);
    const names = one(DEFAULTS, 'HorizontalPodAutoscaler').spec.metrics.flatMap(({ pods }) => pods?.metric.name ?? []);
    expect(names).toEqual(['websocket_active_connections']);
    expect(metrics).toContain('`websocket_active_connections`');
    const { rules } = readValues('deploy/helm/prometheus-adapter-values.yaml') as {
      rules: { custom: { name: { as: string }; seriesQuery: string }[] };
    };
    expect(rules.custom.map(({ name }) => name.as)).toEqual(names);
    expect(rules.custom.map(({ seriesQuery }) => seriesQuery.split('{')[0])).toEqual(names);
  });

  it('has all its manifests among the resources of the kustomization', () => {
    expect(readValues(join(MANIFESTS, 'kustomization.yaml'))).toMatchObject({ resources: manifestFiles() });
  });
});

describe('kubectl', { tags: ['kubectl'] }, () => {
  it('builds the kustomization from the committed manifests', () => {
    const { status, stdout, stderr } = spawnSync(requireProgram('kubectl'), ['kustomize', MANIFESTS], {
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
    const kinds = (manifests: readonly Manifest[]): string[] => manifests.map(({ kind }) => kind).toSorted();
    expect(kinds(manifestsOf(stdout))).toEqual(kinds(DEFAULTS));
  });
});

describe('Helm', { tags: ['helm'] }, () => {
  it('finds nothing to complain of', () => {
    for (const path of ['values.yaml', ...[...valueSets().keys()].map((name) => `ci/${name}-values.yaml`)]) {
      expect(helm('lint', '--strict', CHART, `--values=${join(CHART, path)}`)).toContain('0 chart(s) failed');
    }
  });

  it('renders what is committed', () => {
    for (const [name, manifest] of renderChart()) {
      expect(manifestsOf(manifest)).toEqual(readManifests(join(MANIFESTS, name)));
    }
    for (const [name, path] of valueSets()) {
      const rendered = [...renderChart(`--values=${path}`).values()].flatMap(manifestsOf);
      expect(rendered).toEqual(readManifests(join(RENDERED, `${name}.yaml`)));
    }
  });

  it.each(['configMap', 'secret'])('mounts authorities that the pods trust, out of a %s', (source) => {
    const rendered = [...renderChart(`--set=trustedCertificates.${source}=authority`).values()].flatMap(manifestsOf);
    expect(rendered.flatMap(faultsOf)).toEqual([]);
    expect(brokenRules(rendered)).toEqual([]);
    expect(podEnvironment(rendered, {})).toMatchObject({ NODE_EXTRA_CA_CERTS: '/etc/gatehouse/trusted/ca.crt' });
  });

  it.each([
    ['an ingress without TRUST_PROXY', ['--set=ingress.enabled=true'], 'TRUST_PROXY'],
    ['a misspelt setting', ['--set-string=settings.MAX_CONECTIONS=10'], 'MAX_CONECTIONS'],
    [
      'an autoscaler that looks at nothing',
      ['--set=autoscaling.targetCpuPercent=0,autoscaling.targetConnections=0'],
      'above 0',
    ],
    ['more pods at least than at most', ['--set=autoscaling.minReplicas=21'], 'minReplicas (21)'],
    ['a share of a processor that is not requested', ['--set=resources.requests.cpu=null'], 'resources.requests.cpu'],
    ['TLS for the internal port alone', ['--set=tls.internal=true'], 'tls.internal needs tls.enabled'],
    [
      'a scrape by TLS of a plain port',
      ['--set=tls.enabled=true,serviceMonitor.enabled=true,serviceMonitor.tlsConfig.insecureSkipVerify=true'],
      'tlsConfig needs tls.internal',
    ],
    ['required TLS where nobody speaks it', ['--set-string=settings.REQUIRE_TLS=on'], 'REQUIRE_TLS needs'],
    ['a version of TLS without TLS', ['--set-string=settings.TLS_MIN_VERSION=TLSv1.3'], 'TLS_MIN_VERSION needs'],
    [
      'a passphrase of a key that is not there',
      ['--set=secretSettings.TLS_KEY_PASSPHRASE.name=a,secretSettings.TLS_KEY_PASSPHRASE.key=b'],
      'TLS_KEY_PASSPHRASE needs',
    ],
    [
      'two sources of trusted authorities',
      ['--set=trustedCertificates.configMap=a,trustedCertificates.secret=b'],
      'not both',
    ],
    ...['OTEL_EXPORTER_OTLP_CERTIFICATE', 'OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE'].map((env) => [
      `an authority of the collector that is not mounted: ${env}`,
      [`--set-string=settings.${env}=/etc/gatehouse/trusted/ca.crt`],
      `${env} needs trustedCertificates`,
    ]),
    ...['2Gi', '2048Mi', '2.0Gi', '2147483648', '2G', '2e9', '2000000k', '2147483648000m'].map((memory) => [
      `a heap that does not fit into ${memory}`,
      [`--set=heapMegabytes=2048,resources.limits.memory=${memory}`],
      'heapMegabytes (2048) must be below resources.limits.memory',
    ]),
  ] as [string, string[], string][])('refuses %s', (_what, parameters, complaint) => {
    expect(() => renderChart(...parameters)).toThrow(complaint);
  });

  it.each(['2049Mi', '3Gi', '2200M', '0.1Ti', '2.2e9', '2147483649', 'what a later Kubernetes may know'])(
    'takes a heap of 2048 MiB with %s of memory',
    (memory) => {
      expect(() => renderChart(`--set=heapMegabytes=2048,resources.limits.memory=${memory}`)).not.toThrow();
    },
  );
});

function rendering(wanted: string): Manifest[] {
  return RENDERINGS.find(([name]) => name === wanted)?.[1] ?? [];
}

interface Schema {
  readonly properties: Readonly<Record<'settings' | 'secretSettings', { propertyNames: { enum: string[] } }>>;
}

/** What the server makes of the environment of the pod; its files are those that would be mounted. */
async function settingsOfPod(manifests: readonly Manifest[]): Promise<Settings> {
  using folder = new CertificateFolder(await makeCertificate());
  const namespaces = manifests.find(({ metadata }) => metadata.name.endsWith('-channels'))?.data['channels.yaml'];
  const file = join(folder.path, 'channels.yaml');
  writeFileSync(file, namespaces ?? '');
  const environment = podEnvironment(manifests, { JWT_SECRET: 'x'.repeat(32), url: 'redis://:secret@redis:6379' });
  const mounted: Environment = {
    ...environment,
    ...(environment.TLS_CERT_FILE !== undefined && folder.environment),
    ...(environment.CHANNELS_FILE !== undefined && { CHANNELS_FILE: file }),
    ...(environment.HOOKS_FILE !== undefined && { HOOKS_FILE: hooksOf(manifests, folder.path) }),
    ...(environment.BRIDGES_FILE !== undefined && { BRIDGES_FILE: bridgesOf(manifests, folder.path) }),
    ...(environment.OTEL_EXPORTER_OTLP_CERTIFICATE !== undefined && {
      OTEL_EXPORTER_OTLP_CERTIFICATE: folder.environment.TLS_CERT_FILE,
    }),
  };
  return loadSettings(mounted);
}

/** Writes the hooks file of the pod, with a secret where it names one. */
function hooksOf(manifests: readonly Manifest[], folder: string): string {
  const text = manifests.find(({ metadata }) => metadata.name.endsWith('-hooks'))?.data['hooks.yaml'] ?? '';
  const path = join(folder, 'hooks.yaml');
  writeFileSync(join(folder, 'app'), `whsec_${Buffer.alloc(32).toString('base64')}`);
  writeFileSync(path, text.replaceAll('/etc/gatehouse/hook-secrets', folder));
  return path;
}

/** Writes the bridges file of the pod, with a password where it names one. */
function bridgesOf(manifests: readonly Manifest[], folder: string): string {
  const text = manifests.find(({ metadata }) => metadata.name.endsWith('-bridges'))?.data['bridges.yaml'] ?? '';
  const path = join(folder, 'bridges.yaml');
  writeFileSync(join(folder, 'password'), 'secret');
  writeFileSync(path, text.replaceAll('/etc/gatehouse/bridge-secrets', folder));
  return path;
}

/** A copy with one field of the first manifest of a kind changed, added, or with undefined removed. */
function changed(manifests: readonly Manifest[], kind: string, path: string, value: unknown): Manifest[] {
  const copy = structuredClone(manifests) as Manifest[];
  const names = path.split('.');
  const last = names.pop() ?? '';
  let place: unknown = one(copy, kind);
  for (const name of names) place = (place as Record<string, unknown>)[name];
  const fields = place as Record<string, unknown>;
  if (value === undefined) delete fields[last];
  else fields[last] = value;
  return copy;
}

type Values = Readonly<Record<string, unknown>>;

/** As Helm puts values over those of the chart: what is given of an object goes into it, a list or a text replaces. */
function merged(values: Values, given: Values): Values {
  const entries = Object.entries(given).map(([name, value]) => {
    const before = values[name];
    return [name, isObject(before) && isObject(value) ? merged(before, value) : value];
  });
  return { ...values, ...Object.fromEntries(entries) };
}

function isObject(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The paths of all values; an empty object or a list is one. */
function leavesOf(values: Values, before = ''): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const path = `${before}${name}`;
    return isObject(value) && Object.keys(value).length > 0 ? leavesOf(value, `${path}.`) : [path];
  });
}
