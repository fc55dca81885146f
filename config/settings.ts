import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { loadBridges, type Bridges } from './bridges/bridges.js';
import { contradictions, missingEncryptionKeys } from './contradictions.js';
import { DEFINITIONS } from './definitions.js';
import type { Parsed } from './parsed-settings.js';
import { developmentSecret } from './development-secret.js';
import { edgeFaults, loadEdgeRules, type EdgeRules } from './edge-file.js';
import { loadHooks, type Hooks } from './hooks.js';
import { loadNamespaces, type Namespaces } from './namespaces.js';
import { textOf, type Environment, type Setting } from './setting.js';
import { UnusableSettings } from './unusable-settings.js';
import type { WorkerIdentity } from './worker-identity.js';

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
  /** Which of several processes this is; undefined: the only one, or the primary. */
  readonly workers: { readonly self: WorkerIdentity | undefined };
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
  abstract readonly workers: Complete['workers'];
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
    workers: { ...parsed.workers, self: undefined },
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
