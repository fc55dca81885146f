import { existsSync, readFileSync } from 'node:fs';
import { hookSecrets } from './hook-secrets.js';
import type { Namespaces } from './namespaces.js';
import { UnusableSettings } from './unusable-settings.js';
import { count, durationMs, fieldsOf, readOptions, readYaml, REQUIRED, word, type Reader } from './yaml-options.js';

/** A back end that is asked or told over HTTP. */
export interface HookEndpoint {
  readonly name: string;
  readonly url: string;
  /** Keys in base64 that sign each request: one, or two while they are rotated. */
  readonly secrets: readonly string[];
  readonly timeoutMs: number;
  /** Requests at one time. */
  readonly concurrency: number;
}

/** What happens to a request of a client when the back end cannot be asked. */
export type FailurePolicy = 'refuse' | 'allow';

/** A back end decides. */
export interface AskedHook {
  readonly endpoint: string;
  readonly onFailure: FailurePolicy;
}

/** A back end decides about requests in these namespaces. */
export interface ChannelHook extends AskedHook {
  readonly namespaces: readonly string[];
}

/** A back end answers messages of these types. `*` in a type stands for any text. */
export interface MessageHook {
  readonly types: readonly string[];
  readonly endpoint: string;
}

/** A back end is told what happens. */
export interface EventHook {
  readonly types: readonly string[];
  readonly endpoint: string;
  /** Events in one request. */
  readonly batch: number;
  /** How long an event waits for others, in milliseconds. */
  readonly waitMs: number;
}

/** What the hooks file says. */
export interface Hooks {
  readonly endpoints: ReadonlyMap<string, HookEndpoint>;
  readonly connect: AskedHook | undefined;
  readonly subscribe: ChannelHook | undefined;
  readonly publish: ChannelHook | undefined;
  readonly messages: readonly MessageHook[];
  readonly events: EventHook | undefined;
}

export const HOOK_EVENTS = [
  'session.opened',
  'session.closed',
  'channel.occupied',
  'channel.vacated',
  'member.joined',
  'member.left',
] as const;
export type HookEventType = (typeof HOOK_EVENTS)[number];

const DEFAULT_FILE = 'config/hooks.yaml';
const MAX_TIMEOUT_MS = 30_000;
const MAX_CONCURRENCY = 1_024;
const MAX_BATCH = 1_000;
const MAX_WAIT_MS = 10_000;
const NAME = /^[\w-]{1,64}$/;
const TYPE_PATTERN = /^[^\s]{1,128}$/;

const ENDPOINT = {
  url: { key: 'url', read: httpUrl, absent: REQUIRED },
  secrets: { key: 'secrets', read: hookSecrets, absent: REQUIRED },
  timeout: { key: 'timeoutMs', read: duration(MAX_TIMEOUT_MS), absent: 1_000 },
  concurrency: { key: 'concurrency', read: atMost(MAX_CONCURRENCY), absent: 64 },
} as const;

const CONNECT = {
  endpoint: { key: 'endpoint', read: text, absent: REQUIRED },
  on_failure: { key: 'onFailure', read: word(['refuse']), absent: 'refuse' },
} as const;

const CHANNEL = {
  endpoint: CONNECT.endpoint,
  namespaces: { key: 'namespaces', read: texts, absent: REQUIRED },
  on_failure: { key: 'onFailure', read: word(['refuse', 'allow']), absent: 'refuse' },
} as const;

const MESSAGES = {
  types: { key: 'types', read: texts, absent: REQUIRED },
  endpoint: CONNECT.endpoint,
} as const;

const EVENTS = {
  types: { key: 'types', read: texts, absent: HOOK_EVENTS },
  endpoint: CONNECT.endpoint,
  batch: { key: 'batch', read: atMost(MAX_BATCH), absent: 100 },
  wait: { key: 'waitMs', read: duration(MAX_WAIT_MS), absent: 250 },
} as const;

const SECTIONS = ['endpoints', 'connect', 'subscribe', 'publish', 'messages', 'events'];

/**
 * @param path undefined: config/hooks.yaml in the working directory, if it exists
 * @returns undefined: there are no hooks
 * @throws UnusableSettings naming every fault of the file
 */
export function loadHooks(path: string | undefined, namespaces: Namespaces): Hooks | undefined {
  if (path === undefined && !existsSync(DEFAULT_FILE)) return undefined;
  const file = path ?? DEFAULT_FILE;
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new UnusableSettings([`HOOKS_FILE: ${file} cannot be read (${code})`]);
  }
  return parseHooks(content, namespaces, file);
}

/** @throws UnusableSettings naming every fault of the text */
export function parseHooks(content: string, namespaces: Namespaces, source = 'hooks.yaml'): Hooks {
  const faults: string[] = [];
  const root = readYaml(content, faults);
  for (const key of Object.keys(root)) if (!SECTIONS.includes(key)) faults.push(`${key} is not known`);
  const hooks = {
    endpoints: readEndpoints(root.endpoints, faults),
    connect: readSection(root, 'connect', CONNECT, faults),
    subscribe: readSection(root, 'subscribe', CHANNEL, faults),
    publish: readSection(root, 'publish', CHANNEL, faults),
    messages: readMessages(root.messages, faults),
    events: readSection(root, 'events', EVENTS, faults),
  } as unknown as Hooks;
  if (faults.length === 0) faults.push(...danglingNames(hooks, namespaces));
  if (faults.length > 0) throw new UnusableSettings(faults.map((fault) => `${source}: ${fault}`));
  return hooks;
}

function readEndpoints(given: unknown, faults: string[]): Map<string, HookEndpoint> {
  const endpoints = new Map<string, HookEndpoint>();
  for (const [name, options] of Object.entries(fieldsOf(given ?? {}, 'endpoints', faults))) {
    const at = `endpoints.${name}`;
    if (!NAME.test(name)) faults.push(`${at}: a name is 1 to 64 letters, digits, _ and -`);
    const values = readOptions(ENDPOINT, fieldsOf(options ?? {}, at, faults), at, faults);
    endpoints.set(name, Object.freeze({ name, ...values }) as unknown as HookEndpoint);
  }
  return endpoints;
}

function readSection(
  root: Record<string, unknown>,
  name: string,
  options: Parameters<typeof readOptions>[0],
  faults: string[],
): Record<string, unknown> | undefined {
  if (root[name] === undefined || root[name] === null) return undefined;
  return Object.freeze(readOptions(options, fieldsOf(root[name], name, faults), name, faults));
}

function readMessages(given: unknown, faults: string[]): readonly Record<string, unknown>[] {
  if (given === undefined || given === null) return [];
  if (!Array.isArray(given)) {
    faults.push('messages must be a list of { types, endpoint }');
    return [];
  }
  return given.map((entry, index) => {
    const at = `messages[${index}]`;
    return Object.freeze(readOptions(MESSAGES, fieldsOf(entry, at, faults), at, faults));
  });
}

/** Names of endpoints, namespaces and events that do not exist. */
function danglingNames({ endpoints, connect, subscribe, publish, messages, events }: Hooks, namespaces: Namespaces) {
  const faults: string[] = [];
  const uses = { connect, subscribe, publish, events, ...Object.fromEntries(messages.entries()) };
  for (const [at, hook] of Object.entries(uses)) {
    if (hook !== undefined && !endpoints.has(hook.endpoint)) {
      faults.push(`${/^\d+$/.test(at) ? `messages[${at}]` : at}.endpoint: there is no endpoint ${hook.endpoint}`);
    }
  }
  for (const [at, hook] of Object.entries({ subscribe, publish })) {
    const unknown = hook?.namespaces.filter((name) => !namespaces.has(name)) ?? [];
    faults.push(...unknown.map((name) => `${at}.namespaces: there is no namespace ${name}`));
  }
  const idle = events?.types.filter((type) => !HOOK_EVENTS.some((event) => matcherOf(type)(event))) ?? [];
  faults.push(...idle.map((type) => `events.types: no event is named ${type}. There are ${HOOK_EVENTS.join(', ')}`));
  return faults;
}

/** Returns a test for a pattern in which `*` stands for any text. */
export function matcherOf(pattern: string): (text: string) => boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const expression = new RegExp(`^${parts.join('.*')}$`, 's');
  return (candidate) => expression.test(candidate);
}

function text(value: unknown): string {
  if (typeof value !== 'string' || value === '') throw new Error('must be a text');
  return value;
}

function texts(value: unknown): readonly string[] {
  const isList = Array.isArray(value) && value.length > 0;
  if (!isList || !value.every((each) => typeof each === 'string' && TYPE_PATTERN.test(each))) {
    throw new Error('must be a list of names without spaces');
  }
  return Object.freeze([...(value as string[])]);
}

function httpUrl(value: unknown): string {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.hash !== '') {
    throw new Error('must be an http or https URL without user name and fragment');
  }
  return url.href;
}

function duration(maxMs: number): Reader<number> {
  return (value) => {
    const ms = durationMs(value);
    if (!(ms >= 1 && ms <= maxMs)) throw new Error(`must be a duration such as 250ms or 1s, at most ${maxMs} ms`);
    return ms;
  };
}

function atMost(max: number): Reader<number> {
  return (value) => {
    if (count(value) < 1 || (value as number) > max) throw new Error(`must be a whole number from 1 to ${max}`);
    return value as number;
  };
}
