import { fieldsOf, readOptions } from '../yaml-options.js';

/** Where the publications of a namespace go, too. */
export type Egress =
  | { readonly kafka: string }
  | { readonly nats: string; /** Undefined: at most once. */ readonly stream?: string };

const TOPIC = /^[\w.-]{1,249}$/;
const TOKEN = '[^\\s.*>]+';
const SUBJECT = new RegExp(`^${TOKEN}(\\.${TOKEN})*$`);
const SUBJECT_PATTERN = new RegExp(`^(${TOKEN}|\\*)(\\.(${TOKEN}|\\*))*(\\.>)?$|^>$`);
/** Names of streams and durables. */
const STREAM = /^[^\s.*>/\\]{1,255}$/;

const OPTIONS = {
  kafka: { key: 'kafka', read: topic, absent: undefined },
  nats: { key: 'nats', read: subject, absent: undefined },
  stream: { key: 'stream', read: streamName, absent: undefined },
} as const;

/** Reads `egress: { kafka: topic }` or `egress: { nats: subject, stream: name }`. */
export function egress(value: unknown): Egress {
  const faults: string[] = [];
  const { kafka, nats, stream } = readOptions(OPTIONS, fieldsOf(value, 'it', faults), 'it', faults) as {
    readonly kafka?: string;
    readonly nats?: string;
    readonly stream?: string;
  };
  if (faults.length > 0) throw new Error(`has a fault: ${faults.join('; ').replaceAll('it.', '')}`);
  if (kafka !== undefined && nats === undefined && stream === undefined) return Object.freeze({ kafka });
  if (nats !== undefined && kafka === undefined) return Object.freeze({ nats, ...(stream && { stream }) });
  throw new Error('must be { kafka: <topic> }, { nats: <subject> } or { nats: <subject>, stream: <name> }');
}

export function topic(value: unknown): string {
  if (typeof value !== 'string' || !TOPIC.test(value) || value === '.' || value === '..') {
    throw new Error('must be the name of a topic');
  }
  return value;
}

export function subject(value: unknown): string {
  if (typeof value !== 'string' || !SUBJECT.test(value)) throw new Error('must be a subject without wildcards');
  return value;
}

export function subjectPattern(value: unknown): string {
  if (typeof value !== 'string' || !SUBJECT_PATTERN.test(value)) {
    throw new Error('must be a subject, in which * stands for a token and > at the end for the rest');
  }
  return value;
}

export function streamName(value: unknown): string {
  if (typeof value !== 'string' || !STREAM.test(value)) throw new Error('must be a name without spaces, ., *, > and /');
  return value;
}
