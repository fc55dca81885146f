import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { redisAddresses } from './addresses.js';
import { loadBridges, type Bridges } from './bridges/bridges.js';
import { readCertificate } from './certificate.js';
import { DEFINITIONS } from './definitions.js';
import { developmentSecret } from './development-secret.js';
import { edgeFaults, loadEdgeRules, type EdgeRules } from './edge-file.js';
import { loadHooks, type Hooks } from './hooks.js';
import { loadNamespaces, type Namespaces } from './namespaces.js';
import { textOf, type Environment, type Setting } from './setting.js';
import { UnusableSettings } from './unusable-settings.js';

type Values<Group> = { readonly [Key in keyof Group]: Group[Key] extends Setting<infer T> ? T : never };
type Parsed = { readonly [Group in keyof typeof DEFINITIONS]: Values<(typeof DEFINITIONS)[Group]> };

type Complete = Parsed & {
  readonly server: { readonly serverId: string };
  /** The namespaces in CHANNELS_FILE. */
  readonly channels: { readonly namespaces: Namespaces };
  /** The content of HOOKS_FILE; undefined: no hooks. */
  readonly hooks: { readonly loaded: Hooks | undefined };
  /** The content of BRIDGES_FILE; undefined: no bridges. */
  readonly bridges: { readonly loaded: Bridges | undefined };
  /** The content of EDGE_FILE; undefined: this is no edge node. */
  readonly edge: { readonly rules: EdgeRules | undefined };
  /** Never `auto`. */
  readonly api: { readonly docs: 'on' | 'off' };
  readonly connections: { readonly exemptLoopback: 'on' | 'off' };
  readonly internal: { readonly metricsEnabled: 'on' | 'off' };
  readonly log: { readonly correlation: 'on' | 'off' };
  readonly diagnostics: { readonly heapSnapshots: 'on' | 'off' };
  readonly tracing: { readonly exporter: 'otlp' | 'none' };
  /** Whether the server made the secret, so that it may print a ready link. */
  readonly madeDevelopmentSecret: boolean;
};

/**
 * All settings, checked and frozen, made once at the start. The class is the injection token in Nest's container; the
 * type of a parameter names the groups that its class reads.
 */
export abstract class Settings implements Complete {
  abstract readonly server: Complete['server'];
  abstract readonly tls: Complete['tls'];
  abstract readonly authentication: Complete['authentication'];
  abstract readonly upgrade: Complete['upgrade'];
  abstract readonly connections: Complete['connections'];
  abstract readonly messages: Complete['messages'];
  abstract readonly inbound: Complete['inbound'];
  abstract readonly encryption: Complete['encryption'];
  abstract readonly replay: Complete['replay'];
  abstract readonly channels: Complete['channels'];
  abstract readonly cluster: Complete['cluster'];
  abstract readonly hooks: Complete['hooks'];
  abstract readonly outbox: Complete['outbox'];
  abstract readonly bridges: Complete['bridges'];
  abstract readonly edge: Complete['edge'];
  abstract readonly heartbeat: Complete['heartbeat'];
  abstract readonly outbound: Complete['outbound'];
  abstract readonly lifecycle: Complete['lifecycle'];
  abstract readonly overload: Complete['overload'];
  abstract readonly api: Complete['api'];
  abstract readonly internal: Complete['internal'];
  abstract readonly health: Complete['health'];
  abstract readonly log: Complete['log'];
  abstract readonly audit: Complete['audit'];
  abstract readonly anomalies: Complete['anomalies'];
  abstract readonly diagnostics: Complete['diagnostics'];
  abstract readonly tracing: Complete['tracing'];
  abstract readonly madeDevelopmentSecret: boolean;
}

export type { Environment } from './setting.js';

/** The content of the files that settings name. */
interface Files {
  readonly namespaces: Namespaces;
  readonly hooks: Hooks | undefined;
  readonly bridges: Bridges | undefined;
  readonly rules: EdgeRules | undefined;
}

/**
 * @param environment the variables; an empty value counts as unset
 * @throws UnusableSettings
 */
export function loadSettings(environment: Environment): Settings {
  const faults: string[] = [];
  const groups: Record<string, Record<string, unknown>> = {};
  for (const [name, definitions] of Object.entries(DEFINITIONS)) {
    groups[name] = readGroup(definitions, environment, faults);
  }
  const parsed = groups as unknown as Parsed;
  faults.push(...contradictions(parsed));
  const namespaces = fileOf(() => loadNamespaces(parsed.channels.file), faults) ?? new Map();
  const hooks = fileOf(() => loadHooks(parsed.hooks.file, namespaces), faults);
  const bridges = fileOf(() => loadBridges(parsed.bridges.file, namespaces), faults);
  const rules = fileOf(() => loadEdgeRules(parsed.edge, namespaces), faults);
  faults.push(...missingEncryptionKeys(parsed, namespaces), ...edgeFaults(parsed, hooks));
  if (faults.length > 0) throw new UnusableSettings(faults);
  return complete(parsed, { namespaces, hooks, bridges, rules });
}

/**
 * Returns the content of a file, or undefined if it cannot be used; its faults are then added to those of the settings.
 */
function fileOf<T>(load: () => T, faults: string[]): T | undefined {
  try {
    return load();
  } catch (error) {
    if (!(error instanceof UnusableSettings)) throw error;
    faults.push(...error.faults);
    return undefined;
  }
}

function readGroup(
  definitions: Readonly<Record<string, Setting<unknown>>>,
  environment: Environment,
  faults: string[],
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(definitions)) {
    const text = textOf(setting, environment);
    try {
      values[key] = text === undefined ? undefined : setting.parse(text);
    } catch (error) {
      // A mistyped key counts as set, and must not be reported as missing too.
      values[key] = text;
      const shown = setting.secret ? '(not shown)' : JSON.stringify(text);
      faults.push(`${setting.env} ${(error as Error).message}; it is ${shown}`);
    }
  }
  return values;
}

function contradictions(parsed: Parsed): string[] {
  return [
    ...missingKey(parsed),
    ...redisOfUnclearKind(parsed),
    ...unusableTls(parsed),
    ...portTwice(parsed),
    ...batchBeyondQueue(parsed),
    ...nowhereToWrite(parsed),
  ];
}

function redisOfUnclearKind({ cluster: { redisUrl, redisMode } }: Parsed): string[] {
  const hasSeveral = redisUrl !== undefined && redisAddresses(redisUrl).length > 1;
  return hasSeveral && redisMode !== 'cluster' ? ['REDIS_URL names several nodes: REDIS_MODE must be cluster'] : [];
}

function missingEncryptionKeys({ encryption: { keys } }: Parsed, namespaces: Namespaces): string[] {
  // A mistyped setting is reported as such, and counts as set.
  if (keys.length > 0) return [];
  const names = [...namespaces.values()].filter(({ encryption }) => encryption === 'required').map(({ name }) => name);
  return names.map((name) => `ENCRYPTION_KEYS must be set: namespaces.${name}.encryption is required`);
}

function unusableTls({ tls, internal, server }: Parsed): string[] {
  const faults: string[] = [];
  if (tls.required === 'on' && tls.certFile === undefined && server.trustProxy === undefined) {
    faults.push('REQUIRE_TLS is on: TLS_CERT_FILE or TRUST_PROXY must be set, otherwise no client can connect');
  }
  if (internal.tls === 'on' && tls.certFile === undefined) faults.push('INTERNAL_TLS is on: TLS_CERT_FILE must be set');
  try {
    readCertificate(tls);
  } catch (error) {
    faults.push((error as Error).message);
  }
  return faults;
}

function portTwice({ server, internal }: Parsed): string[] {
  return internal.port !== 0 && internal.port === server.port ? ['INTERNAL_PORT must differ from PORT'] : [];
}

function batchBeyondQueue({ tracing: { batchSize, queueSize } }: Parsed): string[] {
  return batchSize > queueSize ? ['OTEL_BSP_MAX_EXPORT_BATCH_SIZE must not be more than OTEL_BSP_MAX_QUEUE_SIZE'] : [];
}

function nowhereToWrite({ diagnostics: { heapSnapshotPercent, folder } }: Parsed): string[] {
  return heapSnapshotPercent > 0 && folder === undefined
    ? ['HEAP_SNAPSHOT_PERCENT is set: DIAGNOSTICS_DIR must be set too']
    : [];
}

function missingKey({ server, authentication }: Parsed): string[] {
  const { mode, jwtSecret, jwtPublicKey, jwksUrl } = authentication;
  const hasKey = jwtSecret !== undefined || jwtPublicKey !== undefined || jwksUrl !== undefined;
  if (server.environment !== 'production' || mode === 'off' || hasKey) return [];
  return ['JWT_SECRET, JWT_PUBLIC_KEY or JWT_JWKS_URL must be set in production (or AUTH_MODE=off)'];
}

function complete(parsed: Parsed, { namespaces, hooks, bridges, rules }: Files): Settings {
  const { authentication, server, connections, api, internal, log, tracing, diagnostics } = parsed;
  const exporter = exporterOf(tracing);
  const hasKey = authentication.jwtSecret ?? authentication.jwtPublicKey ?? authentication.jwksUrl;
  const secretIsMissing = server.environment !== 'production' && hasKey === undefined && authentication.mode !== 'off';
  const isGuarded = internal.metricsToken !== undefined || internal.port !== 0;
  return deepFreeze({
    ...parsed,
    api: {
      ...api,
      docs: decided(api.docs, server.environment !== 'production'),
      console: api.enabled === 'off' ? 'off' : decided(api.console, server.environment !== 'production'),
    },
    connections: {
      ...connections,
      exemptLoopback: decided(connections.exemptLoopback, server.environment !== 'production'),
    },
    internal: {
      ...internal,
      metricsEnabled: decided(internal.metricsEnabled, server.environment !== 'production' || isGuarded),
    },
    tracing: { ...tracing, exporter },
    log: { ...log, correlation: decided(log.correlation, exporter !== 'none') },
    diagnostics: {
      ...diagnostics,
      heapSnapshots: decided(diagnostics.heapSnapshots, server.environment !== 'production'),
    },
    channels: { ...parsed.channels, namespaces },
    hooks: { ...parsed.hooks, loaded: hooks },
    bridges: { ...parsed.bridges, loaded: bridges },
    edge: { ...parsed.edge, rules },
    server: { ...server, serverId: server.serverId ?? `${hostname().slice(0, 48)}-${randomBytes(3).toString('hex')}` },
    authentication: secretIsMissing ? { ...authentication, jwtSecret: developmentSecret() } : authentication,
    madeDevelopmentSecret: secretIsMissing,
  });
}

function exporterOf({ disabled, exporter, endpoint, tracesEndpoint }: Parsed['tracing']): 'otlp' | 'none' {
  if (disabled === 'true') return 'none';
  if (exporter !== 'auto') return exporter;
  return (tracesEndpoint ?? endpoint) === undefined ? 'none' : 'otlp';
}

function decided(choice: 'auto' | 'on' | 'off', isOn: boolean): 'on' | 'off' {
  if (choice !== 'auto') return choice;
  return isOn ? 'on' : 'off';
}

function deepFreeze<T extends object>(value: T): T {
  for (const child of Object.values(value)) {
    if (typeof child === 'object' && child !== null) deepFreeze(child as object);
  }
  return Object.freeze(value);
}
