import { existsSync } from 'node:fs';
import { secretText } from '../secret-text.js';
import { fieldsOf, readOptions, REQUIRED, word, type Option, type Reader } from '../yaml-options.js';

/** Certificates of a connection, as PEM. */
export interface BridgeTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** How Kafka is reached. */
export interface KafkaBroker {
  readonly brokers: readonly string[];
  readonly group: string;
  /** `true`: with the certificates that Node trusts. */
  readonly ssl: true | BridgeTls | undefined;
  readonly sasl: KafkaSasl | undefined;
}

export interface KafkaSasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
}

/** How NATS is reached. */
export interface NatsBroker {
  readonly servers: readonly string[];
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly token: string | undefined;
  /** A file with a JWT and its key. */
  readonly credentials: string | undefined;
  readonly tls: true | BridgeTls | undefined;
}

const BROKER = /^[\w.-]+:\d{1,5}$|^\[[\da-fA-F:]+\]:\d{1,5}$/;
const SERVER = /^(nats|tls):\/\/[^\s@/]+$/;
/** As Kafka allows them, and without white space. */
const GROUP = /^[\w.-]{1,249}$/;

const TLS = {
  ca: { key: 'ca', read: secretText, absent: undefined },
  cert: { key: 'cert', read: secretText, absent: undefined },
  key: { key: 'key', read: secretText, absent: undefined },
} as const;

const SASL = {
  mechanism: { key: 'mechanism', read: word(['plain', 'scram-sha-256', 'scram-sha-512']), absent: REQUIRED },
  username: { key: 'username', read: secretText, absent: REQUIRED },
  password: { key: 'password', read: secretText, absent: REQUIRED },
} as const;

const KAFKA = {
  brokers: { key: 'brokers', read: listOf(BROKER, 'must be a list of host:port'), absent: REQUIRED },
  group: { key: 'group', read: matching(GROUP, 'must be 1 to 249 letters, digits, ., _ and -'), absent: 'gatehouse' },
  ssl: { key: 'ssl', read: tls, absent: undefined },
  sasl: { key: 'sasl', read: map(SASL), absent: undefined },
} as const;

const NATS = {
  servers: { key: 'servers', read: listOf(SERVER, 'must be a list of nats://host:port'), absent: REQUIRED },
  user: { key: 'user', read: secretText, absent: undefined },
  password: { key: 'password', read: secretText, absent: undefined },
  token: { key: 'token', read: secretText, absent: undefined },
  credentials: { key: 'credentials', read: existingFile, absent: undefined },
  tls: { key: 'tls', read: tls, absent: undefined },
} as const;

export function readKafka(given: unknown, faults: string[]): KafkaBroker | undefined {
  return readBroker(given, { at: 'kafka', options: KAFKA }, faults) as KafkaBroker | undefined;
}

export function readNats(given: unknown, faults: string[]): NatsBroker | undefined {
  return readBroker(given, { at: 'nats', options: NATS }, faults) as NatsBroker | undefined;
}

interface BrokerOptions {
  readonly at: string;
  readonly options: Readonly<Record<string, Option>>;
}

function readBroker(given: unknown, { at, options }: BrokerOptions, faults: string[]): object | undefined {
  if (given === undefined || given === null) return undefined;
  return Object.freeze(readOptions(options, fieldsOf(given, at, faults), at, faults));
}

function map(options: Readonly<Record<string, Option>>): Reader<object> {
  return (value) => {
    const faults: string[] = [];
    const values = readOptions(options, fieldsOf(value, 'it', faults), 'it', faults);
    if (faults.length > 0) throw new Error(`has a fault: ${faults.join('; ').replaceAll('it.', '')}`);
    return Object.freeze(values);
  };
}

function tls(value: unknown): true | BridgeTls | undefined {
  if (typeof value === 'boolean') return value || undefined;
  return map(TLS)(value);
}

function listOf(pattern: RegExp, must: string): Reader<readonly string[]> {
  return (value) => {
    const isList = Array.isArray(value) && value.length > 0;
    if (!isList || !value.every((each) => typeof each === 'string' && pattern.test(each))) throw new Error(must);
    return Object.freeze([...(value as string[])]);
  };
}

function matching(pattern: RegExp, must: string): Reader<string> {
  return (value) => {
    if (typeof value !== 'string' || !pattern.test(value)) throw new Error(must);
    return value;
  };
}

function existingFile(value: unknown): string {
  if (typeof value !== 'string' || !existsSync(value)) throw new Error('must be the path of a file');
  return value;
}
