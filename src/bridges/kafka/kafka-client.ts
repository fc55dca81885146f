import type * as KafkaPackage from 'kafkajs';
import type { KafkaBroker } from '../../../config/bridges/brokers.js';
import { UnusableSettings } from '../../../config/unusable-settings.js';

/** The package that speaks to Kafka. */
export type KafkaPackages = typeof KafkaPackage;

const CONNECT_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 15_000;
/** Of one request. What still fails then is tried again with a new connection. */
const RETRY = { retries: 4, initialRetryTime: 200, maxRetryTime: 2_000 };

/** @throws UnusableSettings with the line that installs it */
export async function loadKafka(load = (): Promise<KafkaPackages> => import('kafkajs')): Promise<KafkaPackages> {
  return load().catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new UnusableSettings([
      'The bridges file names Kafka, which needs a package that is not installed. Run: npm install kafkajs@2',
    ]);
  });
}

/** Connects to nothing yet. */
export function kafkaClient({ Kafka, logLevel }: KafkaPackages, broker: KafkaBroker): KafkaPackage.Kafka {
  const { brokers, ssl, sasl } = broker;
  return new Kafka({
    clientId: 'gatehouse',
    brokers: [...brokers],
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: RETRY,
    // It would write to the standard output. What matters comes as an error or an event.
    logLevel: logLevel.NOTHING,
    ...(ssl !== undefined && { ssl: ssl === true ? true : { ...ssl } }),
    ...(sasl !== undefined && { sasl: { ...sasl } as KafkaPackage.SASLOptions }),
  });
}
