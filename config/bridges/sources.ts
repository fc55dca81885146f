import { count, fieldsOf, readOptions, REQUIRED, word, type Option } from '../yaml-options.js';
import { channelPattern, isHeader, type ChannelPattern } from './channel-pattern.js';
import { streamName, subject, subjectPattern, topic } from './destinations.js';

interface AnySource {
  readonly channel: ChannelPattern;
  /** Topic or subject for messages that cannot be published; undefined: they are skipped. */
  readonly deadLetter: string | undefined;
}

/** Where a group or durable that is new begins. */
export type StartPosition = 'earliest' | 'latest';

export interface KafkaSource extends AnySource {
  readonly kafka: string;
  readonly from: StartPosition;
}

/** A durable consumer of JetStream. */
export interface StreamSource extends AnySource {
  readonly nats: string;
  readonly stream: string;
  readonly durable: string;
  readonly from: StartPosition;
  /** Messages at one time, over all nodes. 1 keeps their order. */
  readonly inFlight: number;
}

/** A subject of core NATS: its messages come at most once. */
export interface SubjectSource extends AnySource {
  readonly nats: string;
  readonly queue: string;
}

export type NatsSource = StreamSource | SubjectSource;
export type Source = KafkaSource | NatsSource;

export const MAX_IN_FLIGHT = 1_000;

const from = { key: 'from', read: word(['earliest', 'latest']), absent: 'earliest' } as const;

const KAFKA = {
  kafka: { key: 'kafka', read: topic, absent: REQUIRED },
  channel: { key: 'channel', read: (given: unknown) => channelPattern(given, isKafkaValue), absent: REQUIRED },
  dead_letter: { key: 'deadLetter', read: topic, absent: undefined },
  from,
} as const;

const SUBJECT = {
  nats: { key: 'nats', read: subjectPattern, absent: REQUIRED },
  queue: { key: 'queue', read: streamName, absent: 'gatehouse' },
  dead_letter: { key: 'deadLetter', read: subject, absent: undefined },
} as const;

const STREAM = {
  nats: SUBJECT.nats,
  stream: { key: 'stream', read: streamName, absent: REQUIRED },
  durable: { key: 'durable', read: streamName, absent: REQUIRED },
  dead_letter: SUBJECT.dead_letter,
  from,
  in_flight: { key: 'inFlight', read: inFlight, absent: 1 },
} as const;

/** Reads the list `in` of the bridges file. */
export function readSources(given: unknown, faults: string[]): readonly Source[] {
  if (given === undefined || given === null) return [];
  if (!Array.isArray(given)) {
    faults.push('in must be a list of { kafka, channel } and { nats, channel }');
    return [];
  }
  return given.map((entry, index) => {
    const at = `in[${index}]`;
    const fields = fieldsOf(entry, at, faults);
    return Object.freeze(readOptions(optionsFor(fields), fields, at, faults)) as unknown as Source;
  });
}

function optionsFor(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, Option>> {
  if (!('nats' in fields)) return KAFKA;
  const values = natsValues(fields.nats);
  const channel = { key: 'channel', read: (given: unknown) => channelPattern(given, values), absent: REQUIRED };
  return { ...('stream' in fields || 'durable' in fields ? STREAM : SUBJECT), channel };
}

function isKafkaValue(name: string): boolean {
  return name === 'key' || name === 'topic' || isHeader(name);
}

/** `{1}` is what the first wildcard of the subject stands for. */
function natsValues(pattern: unknown): (name: string) => boolean {
  const wildcards = typeof pattern === 'string' ? pattern.split('.').filter((token) => /^[*>]$/.test(token)).length : 0;
  return (name) => name === 'subject' || isHeader(name) || (/^[1-9]\d*$/.test(name) && Number(name) <= wildcards);
}

function inFlight(value: unknown): number {
  if (count(value) < 1 || (value as number) > MAX_IN_FLIGHT) {
    throw new Error(`must be a whole number from 1 to ${MAX_IN_FLIGHT}`);
  }
  return value as number;
}
