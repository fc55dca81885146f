import type { Message, Producer } from 'kafkajs';
import { ID_HEADER, Unsendable, type OutgoingMessage, type Sender } from '../outgoing.js';

/** Every replica that is in sync has the message. */
const ALL_REPLICAS = -1;
const UNSENDABLE = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD']);

/** Sends publications to their topics; those of one channel to the same partition, because the channel is their key. */
export function kafkaSender(producer: Pick<Producer, 'sendBatch'>): Sender {
  return async (messages) => {
    try {
      await producer.sendBatch({ acks: ALL_REPLICAS, topicMessages: byTopic(messages) });
    } catch (error) {
      const { type, message } = causeOf(error as Error);
      if (type !== undefined && UNSENDABLE.has(type)) throw new Unsendable(message);
      throw error;
    }
  };
}

function byTopic(messages: readonly OutgoingMessage[]): { topic: string; messages: Message[] }[] {
  const topics = new Map<string, Message[]>();
  for (const { destination, channel, payload, headers, id } of messages) {
    if (!('kafka' in destination)) continue;
    const message = { key: channel, value: Buffer.from(payload), headers: { ...headers, [ID_HEADER]: id } };
    const others = topics.get(destination.kafka);
    if (others === undefined) topics.set(destination.kafka, [message]);
    else others.push(message);
  }
  return [...topics].map(([topic, ofTopic]) => ({ topic, messages: ofTopic }));
}

type KafkaError = Error & { readonly type?: string; readonly cause?: unknown };

function causeOf(error: KafkaError): KafkaError {
  return error.type === undefined && error.cause instanceof Error ? causeOf(error.cause) : error;
}
