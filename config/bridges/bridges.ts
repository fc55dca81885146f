import { existsSync, readFileSync } from 'node:fs';
import type { Namespaces } from '../namespaces.js';
import { UnusableSettings } from '../unusable-settings.js';
import { readYaml } from '../yaml-options.js';
import { readKafka, readNats, type KafkaBroker, type NatsBroker } from './brokers.js';
import { faultOfNamespace } from './channel-pattern.js';
import { readSources, type KafkaSource, type NatsSource, type Source } from './sources.js';

/** What the bridges file says. */
export interface Bridges {
  /** Names this cluster in the messages that it sends out, so that it does not read them again. */
  readonly name: string;
  readonly kafka: (KafkaBroker & { readonly sources: readonly KafkaSource[] }) | undefined;
  readonly nats: (NatsBroker & { readonly sources: readonly NatsSource[] }) | undefined;
}

const DEFAULT_FILE = 'config/bridges.yaml';
const SECTIONS = ['name', 'kafka', 'nats', 'in'];
const NAME = /^[\w-]{1,64}$/;

/**
 * @param path undefined: config/bridges.yaml in the working directory, if it exists
 * @returns undefined: there are no bridges
 * @throws UnusableSettings naming every fault of the file
 */
export function loadBridges(path: string | undefined, namespaces: Namespaces): Bridges | undefined {
  if (path === undefined && !existsSync(DEFAULT_FILE)) return parseNone(namespaces);
  const file = path ?? DEFAULT_FILE;
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new UnusableSettings([`BRIDGES_FILE: ${file} cannot be read (${code})`]);
  }
  return parseBridges(content, namespaces, file);
}

/** @throws UnusableSettings naming every fault of the text */
export function parseBridges(content: string, namespaces: Namespaces, source = 'bridges.yaml'): Bridges {
  const faults: string[] = [];
  const root = readYaml(content, faults);
  for (const key of Object.keys(root)) if (!SECTIONS.includes(key)) faults.push(`${key} is not known`);
  const name = root.name ?? 'gatehouse';
  if (typeof name !== 'string' || !NAME.test(name)) faults.push('name must be 1 to 64 letters, digits, _ and -');
  const kafka = readKafka(root.kafka, faults);
  const nats = readNats(root.nats, faults);
  const sources = readSources(root.in, faults);
  if (faults.length === 0) {
    faults.push(...faultsOf(sources, { kafka, nats }, namespaces), ...faultsOfEgress({ kafka, nats }, namespaces));
  }
  if (faults.length > 0) throw new UnusableSettings(faults.map((fault) => `${source}: ${fault}`));
  return Object.freeze({
    name: name as string,
    kafka: kafka && { ...kafka, sources: sources.filter((each) => 'kafka' in each) },
    nats: nats && { ...nats, sources: sources.filter((each) => 'nats' in each) },
  });
}

interface Brokers {
  readonly kafka: KafkaBroker | undefined;
  readonly nats: NatsBroker | undefined;
}

/** Brokers and namespaces that do not exist, and what is read twice. */
function faultsOf(sources: readonly Source[], brokers: Brokers, namespaces: Namespaces): string[] {
  return sources.flatMap((source, index) => {
    const at = `in[${index}]`;
    const broker = 'kafka' in source ? 'kafka' : 'nats';
    const fault = faultOfNamespace(source.channel, namespaces);
    return [
      ...(brokers[broker] === undefined ? [`${at}: ${broker} must be set`] : []),
      ...(fault === undefined ? [] : [`${at}.channel: ${fault}`]),
      ...faultOfRepeat(source, sources.slice(0, index)).map((repeat) => `${at}: ${repeat}`),
    ];
  });
}

function faultOfRepeat(source: Source, earlier: readonly Source[]): string[] {
  if ('kafka' in source) {
    const isRead = earlier.some((other) => 'kafka' in other && other.kafka === source.kafka);
    return isRead ? [`the topic ${source.kafka} is read already`] : [];
  }
  if (!('stream' in source)) return [];
  const { stream, durable } = source;
  const isUsed = earlier.some((other) => 'stream' in other && other.stream === stream && other.durable === durable);
  return isUsed ? [`the durable ${durable} is used already`] : [];
}

function faultsOfEgress(brokers: Brokers, namespaces: Namespaces): string[] {
  return [...namespaces.values()].flatMap(({ name, egress }) => {
    if (egress === undefined) return [];
    const broker = 'kafka' in egress ? 'kafka' : 'nats';
    return brokers[broker] === undefined ? [`${broker} must be set: namespaces.${name}.egress needs it`] : [];
  });
}

/** @throws UnusableSettings if a namespace needs a broker */
function parseNone(namespaces: Namespaces): undefined {
  const faults = faultsOfEgress({ kafka: undefined, nats: undefined }, namespaces);
  if (faults.length > 0) throw new UnusableSettings(faults.map((fault) => `BRIDGES_FILE must be set: ${fault}`));
}
