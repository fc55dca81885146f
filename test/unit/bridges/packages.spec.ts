import { expect, it } from 'vitest';
import { UnusableSettings } from '../../../config/unusable-settings.js';
import { loadKafka } from '../../../src/bridges/kafka/kafka-client.js';
import { loadNats } from '../../../src/bridges/nats/nats-client.js';

type Load = (load: () => Promise<never>) => Promise<unknown>;

it.each<[string, Load, string]>([
  ['NATS', loadNats, 'npm install @nats-io/transport-node@3 @nats-io/jetstream@3'],
  ['Kafka', loadKafka, 'npm install kafkajs@2'],
])('says how to install the packages of %s that are missing, and the server does not start', async (_, load, line) => {
  const missing = Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
  const refused = load(() => Promise.reject(missing));
  await expect(refused).rejects.toThrow(UnusableSettings);
  await expect(refused).rejects.toThrow(line);
});

it.each<Load>([loadNats, loadKafka])('does not take another fault of a package for its absence', async (load) => {
  const broken = new Error('Unexpected token');
  await expect(load(() => Promise.reject(broken))).rejects.toBe(broken);
});
