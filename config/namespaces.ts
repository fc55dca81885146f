import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { egress, type Egress } from './bridges/destinations.js';
import { stateOptions, type StateOptions } from './state-options.js';
import { UnusableSettings } from './unusable-settings.js';
import { boolean, count, durationMs, fieldsOf, readOptions, readYaml, word, type Reader } from './yaml-options.js';

/** Who may do something: a keyword, or a list of roles, one of which is enough. */
export type AccessRule<Word extends string = never> =
  | 'anyone'
  | 'signed_in'
  | 'own_user'
  | 'nobody'
  | Word
  | readonly string[];

/**
 * What happens if a subscriber reads too slowly: it is disconnected, loses the oldest frames, or keeps only the newest.
 */
export type DeliveryPolicy = 'disconnect' | 'drop_oldest' | 'latest';

/** Of publications that wait for a slow reader: those of a higher one leave first. */
export const PRIORITIES = ['high', 'normal', 'low'] as const;
export type Priority = (typeof PRIORITIES)[number];

export interface HistoryLimits {
  /** Publications kept for a channel. */
  readonly size: number;
  /** Milliseconds after which they are forgotten. */
  readonly ageMs: number;
}

/** Entries that a node keeps about deliveries, for all channels of the namespace. */
export type LedgerLimits = HistoryLimits;

/** The rules of the channels of one namespace, from the channels file. */
export interface Namespace {
  readonly name: string;
  readonly subscribe: AccessRule;
  readonly publish: AccessRule<'subscribers'>;
  /** Undefined: no history, no seq, no recovery. */
  readonly history: HistoryLimits | undefined;
  /** Number of replicas of Redis that must have a publication before the publish is answered. 0: none. */
  readonly replicas: number;
  readonly presence: boolean;
  readonly joinLeave: boolean;
  readonly delivery: DeliveryPolicy;
  readonly priority: Priority;
  /** 0: no limit except that of the message. */
  readonly maxMessageBytes: number;
  /** For each session and second. 0: no limit. */
  readonly publishRate: number;
  /** For one channel. 0: no limit. */
  readonly maxSubscribers: number;
  /** Whether payloads are encrypted on the wire and at rest. */
  readonly encryption: 'none' | 'required';
  /** Whether each publish is handled once, and refused if it is old. */
  readonly replayProtection: boolean;
  /** Whether each node records deliveries; undefined: it does not. */
  readonly ledger: LedgerLimits | undefined;
  /** The name of the message class of its publications; undefined: they may be anything. */
  readonly message: string | undefined;
  /** Its channels are maps of values; undefined: they carry messages. */
  readonly state: StateOptions | undefined;
  /** The topic or subject that gets its publications, too; undefined: none does. */
  readonly egress: Egress | undefined;
}

export type Namespaces = ReadonlyMap<string, Namespace>;

const NAME = /^[\w-]{1,64}$/;
const CLASS_NAME = /^[A-Za-z_$][\w$]{0,127}$/;
const ROLE = /^\S{1,64}$/;

const DEFAULT_LEDGER: LedgerLimits = Object.freeze({ size: 10_000, ageMs: 600_000 });
/** About a hundred megabytes. */
const MAX_LEDGER_SIZE = 1_000_000;

const access: Reader<AccessRule> = accessRule(['anyone', 'signed_in', 'own_user', 'nobody']);

/** Every option: how it is read, and its value if it is absent. Nothing is allowed unless an option allows it. */
const OPTIONS = {
  subscribe: { key: 'subscribe', read: access, absent: 'nobody' },
  publish: {
    key: 'publish',
    read: accessRule(['anyone', 'signed_in', 'own_user', 'nobody', 'subscribers']),
    absent: 'nobody',
  },
  history: { key: 'history', read: historyLimits, absent: undefined },
  replicas: { key: 'replicas', read: count, absent: 0 },
  presence: { key: 'presence', read: boolean, absent: false },
  join_leave: { key: 'joinLeave', read: boolean, absent: false },
  delivery: { key: 'delivery', read: word(['disconnect', 'drop_oldest', 'latest']), absent: 'disconnect' },
  priority: { key: 'priority', read: word(PRIORITIES), absent: 'normal' },
  max_message_bytes: { key: 'maxMessageBytes', read: count, absent: 0 },
  publish_rate: { key: 'publishRate', read: count, absent: 0 },
  max_subscribers: { key: 'maxSubscribers', read: count, absent: 0 },
  encryption: { key: 'encryption', read: word(['none', 'required']), absent: 'none' },
  replay_protection: { key: 'replayProtection', read: boolean, absent: false },
  ledger: { key: 'ledger', read: ledgerLimits, absent: undefined },
  message: { key: 'message', read: className, absent: undefined },
  state: { key: 'state', read: stateOptions, absent: undefined },
  egress: { key: 'egress', read: egress, absent: undefined },
} as const;

/** The file that comes with the server, in a folder above this one, whether compiled or not. */
function shippedFile(): string {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const candidate = join(folder, 'config', 'channels.yaml');
    if (existsSync(candidate)) return candidate;
  }
  return join('config', 'channels.yaml');
}

/**
 * @param path undefined: the file that comes with the server
 * @throws UnusableSettings naming every fault of the file
 */
export function loadNamespaces(path: string = shippedFile()): Namespaces {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UnusableSettings([
      `CHANNELS_FILE: ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`,
    ]);
  }
  return parseNamespaces(text, path);
}

/** @throws UnusableSettings naming every fault of the text */
export function parseNamespaces(text: string, source = 'channels.yaml'): Namespaces {
  const faults: string[] = [];
  const namespaces = new Map<string, Namespace>();
  const root = readYaml(text, faults);
  for (const key of Object.keys(root)) if (key !== 'namespaces') faults.push(`${key} is not known`);

  for (const [name, options] of Object.entries(fieldsOf(root.namespaces ?? {}, 'namespaces', faults))) {
    if (!NAME.test(name)) faults.push(`namespaces.${name}: a name is 1 to 64 letters, digits, _ and -`);
    const at = `namespaces.${name}`;
    namespaces.set(name, readNamespace(name, fieldsOf(options ?? {}, at, faults), faults));
  }
  if (faults.length > 0) throw new UnusableSettings(faults.map((fault) => `${source}: ${fault}`));
  return namespaces;
}

/** Whether any namespace has a ledger. Without one, the message path does no extra work. */
export function keepLedgers(namespaces: Namespaces): boolean {
  return [...namespaces.values()].some(({ ledger }) => ledger !== undefined);
}

/** Whether any namespace has a priority. Without one, frames that wait keep their order and cost nothing more. */
export function havePriorities(namespaces: Namespaces): boolean {
  return [...namespaces.values()].some(({ priority }) => priority !== 'normal');
}

function readNamespace(name: string, given: Record<string, unknown>, faults: string[]): Namespace {
  const values: Record<string, unknown> = { name, ...readOptions(OPTIONS, given, `namespaces.${name}`, faults) };
  if (values.ledger !== undefined && values.history === undefined) {
    faults.push(
      `namespaces.${name}.ledger needs a history, because publications have a seq only in a channel with history`,
    );
  }
  if (values.replicas !== 0 && values.history === undefined) {
    faults.push(
      `namespaces.${name}.replicas needs a history, because without one nothing is stored that could be replicated`,
    );
  }
  if (values.egress !== undefined && values.encryption !== 'none') {
    faults.push(
      `namespaces.${name}.egress cannot be combined with encryption, because brokers get payloads as they are`,
    );
  }
  if (values.state !== undefined) faults.push(...faultsOfState(values).map((fault) => `namespaces.${name}.${fault}`));
  return Object.freeze(values) as unknown as Namespace;
}

/** State is the sum of the publications of a channel, so none may be missing, unreadable, or of another kind. */
function faultsOfState(values: Record<string, unknown>): string[] {
  const faults: string[] = [];
  if (values.history === undefined) {
    faults.push('state needs a history, because publications have a seq only in a channel with history');
  }
  if (values.encryption !== 'none') faults.push('state cannot be encrypted, because the server merges its values');
  if (values.message !== undefined) faults.push('message has no meaning with state, which has publications of its own');
  if (values.egress !== undefined) faults.push('egress has no meaning with state, whose changes stay in Gatehouse');
  if (values.ledger !== undefined && (values.state as StateOptions).area !== undefined) {
    faults.push('ledger cannot be kept with an area, because cells have no seq of their own');
  }
  if (values.delivery === 'drop_oldest') {
    faults.push('delivery must be disconnect or latest with state, because drop_oldest would lose changes');
  }
  return faults;
}

function accessRule<const Word extends string>(words: readonly Word[]): Reader<Word | readonly string[]> {
  return (value) => {
    const known = words.find((candidate) => candidate === value);
    if (known !== undefined) return known;
    const isRoles =
      Array.isArray(value) && value.length > 0 && value.every((role) => typeof role === 'string' && ROLE.test(role));
    if (!isRoles) throw new Error(`must be one of ${words.join(', ')}, or a list of roles`);
    return Object.freeze([...(value as string[])]);
  };
}

function className(value: unknown): string {
  if (typeof value !== 'string' || !CLASS_NAME.test(value)) throw new Error('must be the name of a message class');
  return value;
}

function historyLimits(value: unknown): HistoryLimits {
  return limits(value, 'publications');
}

function ledgerLimits(value: unknown): LedgerLimits | undefined {
  if (typeof value === 'boolean') return value ? DEFAULT_LEDGER : undefined;
  const ledger = limits(value, 'entries');
  if (ledger.size > MAX_LEDGER_SIZE) throw new Error(`must have a size of at most ${MAX_LEDGER_SIZE}`);
  return ledger;
}

function limits(value: unknown, of: string): HistoryLimits {
  const { size, age, ...rest } = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  const ageMs = durationMs(age);
  const isWhole = Number.isSafeInteger(size) && (size as number) >= 1 && Number.isSafeInteger(ageMs) && ageMs >= 1;
  if (!isWhole || Object.keys(rest).length > 0) {
    throw new Error(`must be { size: <${of}, 1 or more>, age: <such as 90s, 10m, 24h> }`);
  }
  return Object.freeze({ size: size as number, ageMs });
}
