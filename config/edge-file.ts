import { readFileSync } from 'node:fs';
import { parseChannelName } from '@gatehouse/protocol';
import { matcherOf, type Hooks } from './hooks.js';
import { mirrorFaults } from './mirrored-channels.js';
import type { Namespaces } from './namespaces.js';
import { UnusableSettings } from './unusable-settings.js';
import { count, durationMs, fieldsOf, readOptions, readYaml, word } from './yaml-options.js';

/** What happens to a new message when the rule's part of the outbox is full. */
export type FullPolicy = 'reject' | 'drop_oldest';

/** Messages that are stored and sent to the centre, with bounds and an order of their own. */
export interface ForwardRule {
  readonly name: string;
  /** Message types. `*` stands for any text. */
  readonly types: readonly string[];
  /** Channels whose publications are forwarded. `*` stands for any text. */
  readonly channels: readonly string[];
  /** The channel at the centre that gets the messages of `types`; `{type}` stands for the type. */
  readonly into: string;
  readonly ttlMs: number;
  readonly maxBytes: number;
  readonly onFull: FullPolicy;
  /** Rules of high priority are sent before the others. */
  readonly priority: 'high' | 'normal';
}

/** What the edge file says. */
export interface EdgeRules {
  readonly forward: readonly ForwardRule[];
  /** Message types that stay here although a rule matches them. */
  readonly local: readonly string[];
  /** Message types that the centre answers, while it can be reached. */
  readonly through: readonly string[];
  /** Channels of the centre that clients of this node may subscribe to. `*` stands for any text. */
  readonly mirror: readonly string[];
}

interface EdgeSettings {
  readonly upstream: string | undefined;
  readonly token: string | undefined;
  readonly tokenFile: string | undefined;
  readonly folder: string | undefined;
  readonly file: string | undefined;
}

interface Place {
  readonly at: string;
  readonly faults: string[];
}

const DEFAULT_FILE = 'config/edge.yaml';
const SECTIONS = ['local', 'forward', 'through', 'mirror'];
const NAME = /^[\w-]{1,32}$/;
const PATTERN = /^[^\s]{1,255}$/;
const SIZE = /^(\d+)(B|KiB|MiB|GiB)?$/;
const UNITS = { B: 1, KiB: 1_024, MiB: 1_048_576, GiB: 1_073_741_824 } as const;
const MIN_BYTES = 65_536;

const FORWARD = {
  name: { key: 'name', read: ruleName, absent: 'default' },
  types: { key: 'types', read: patterns, absent: Object.freeze([]) },
  channels: { key: 'channels', read: patterns, absent: Object.freeze([]) },
  into: { key: 'into', read: channelPattern, absent: 'edge:{type}' },
  ttl: { key: 'ttlMs', read: duration, absent: 86_400_000 },
  max_bytes: { key: 'maxBytes', read: size, absent: UNITS.GiB },
  on_full: { key: 'onFull', read: word(['reject', 'drop_oldest']), absent: 'reject' },
  priority: { key: 'priority', read: word(['high', 'normal']), absent: 'normal' },
} as const;

/**
 * @returns undefined: this is no edge node
 * @throws UnusableSettings naming every fault of the file
 */
export function loadEdgeRules({ upstream, file: path }: EdgeSettings, namespaces: Namespaces): EdgeRules | undefined {
  if (upstream === undefined) return undefined;
  const file = path ?? DEFAULT_FILE;
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new UnusableSettings([`EDGE_FILE: ${file} cannot be read (${code})`]);
  }
  return parseEdgeRules(content, namespaces, file);
}

/** @throws UnusableSettings naming every fault of the text */
export function parseEdgeRules(content: string, namespaces: Namespaces, source = 'edge.yaml'): EdgeRules {
  const faults: string[] = [];
  const root = readYaml(content, faults);
  for (const key of Object.keys(root)) if (!SECTIONS.includes(key)) faults.push(`${key} is not known`);
  const forward = readForward(root.forward, faults);
  const rules = {
    forward,
    local: readList(root.local, { at: 'local', faults }),
    through: readList(root.through, { at: 'through', faults }),
    mirror: readList(root.mirror, { at: 'mirror', faults }),
  };
  faults.push(...encryptedChannels(forward, namespaces), ...mirrorFaults(rules.mirror, namespaces));
  if (faults.length > 0) throw new UnusableSettings(faults.map((fault) => `${source}: ${fault}`));
  return rules;
}

/** Settings that an edge node lacks, or cannot have. */
export function edgeFaults(
  { edge, cluster }: { readonly edge: EdgeSettings; readonly cluster: { readonly redisUrl: string | undefined } },
  hooks: Hooks | undefined,
): string[] {
  const { upstream, token, tokenFile, folder } = edge;
  if (upstream === undefined) return [];
  const faults: string[] = [];
  if ((token === undefined) === (tokenFile === undefined)) {
    faults.push('EDGE_UPSTREAM is set: set EDGE_TOKEN or EDGE_TOKEN_FILE, not both');
  }
  if (folder === undefined) faults.push('EDGE_UPSTREAM is set: EDGE_DIR must be set too');
  if (cluster.redisUrl !== undefined)
    faults.push('EDGE_UPSTREAM and REDIS_URL cannot both be set: an edge is one node');
  if ((hooks?.messages.length ?? 0) > 0) faults.push('EDGE_UPSTREAM is set: the hooks file cannot have messages');
  return faults;
}

/** One rule as a map, or several as a list. */
function readForward(given: unknown, faults: string[]): readonly ForwardRule[] {
  if (given === undefined || given === null) return [];
  const entries = Array.isArray(given) ? given : [given];
  const rules = entries.map((entry, index) => {
    const at = Array.isArray(given) ? `forward[${index}]` : 'forward';
    const rule = readOptions(FORWARD, fieldsOf(entry, at, faults), at, faults) as unknown as ForwardRule;
    if (rule.types.length === 0 && rule.channels.length === 0) faults.push(`${at} must have types or channels`);
    return Object.freeze(rule);
  });
  const names = rules.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) faults.push(`forward: two rules have the name ${twice}. Give each its own`);
  return rules;
}

function readList(given: unknown, { at, faults }: Place): readonly string[] {
  if (given === undefined || given === null) return [];
  try {
    return patterns(given);
  } catch (error) {
    faults.push(`${at} ${(error as Error).message}`);
    return [];
  }
}

/** The outbox and the way to the centre carry plain text. */
function encryptedChannels(rules: readonly ForwardRule[], namespaces: Namespaces): string[] {
  const encrypted = [...namespaces.values()].filter(({ encryption }) => encryption === 'required');
  return rules.flatMap(({ channels }) =>
    channels.flatMap((pattern) =>
      encrypted
        .filter(({ name }) => matcherOf(pattern.split(':')[0] ?? '')(name))
        .map(
          ({ name }) => `forward: ${pattern} cannot be forwarded, because the namespace ${name} requires encryption`,
        ),
    ),
  );
}

function ruleName(value: unknown): string {
  if (typeof value !== 'string' || !NAME.test(value)) throw new Error('must be 1 to 32 letters, digits, _ and -');
  return value;
}

function patterns(value: unknown): readonly string[] {
  const isList = Array.isArray(value) && value.every((each) => typeof each === 'string' && PATTERN.test(each));
  if (!isList) throw new Error('must be a list of names without spaces');
  return Object.freeze([...(value as string[])]);
}

function channelPattern(value: unknown): string {
  if (typeof value !== 'string' || parseChannelName(value.replaceAll('{type}', 'type')) === undefined) {
    throw new Error('must be a channel name, in which {type} stands for the type of the message');
  }
  return value;
}

function duration(value: unknown): number {
  const ms = durationMs(value);
  if (!(ms >= 1_000)) throw new Error('must be a duration such as 90s, 24h or 7d, at least 1s');
  return ms;
}

function size(value: unknown): number {
  if (typeof value === 'number') return atLeast(count(value));
  const [, amount, unit = 'B'] = (typeof value === 'string' && SIZE.exec(value)) || [];
  return atLeast(Number(amount) * UNITS[unit as keyof typeof UNITS]);
}

function atLeast(bytes: number): number {
  if (!(bytes >= MIN_BYTES)) throw new Error('must be a size such as 64MiB or 1GiB, at least 64KiB');
  return bytes;
}
