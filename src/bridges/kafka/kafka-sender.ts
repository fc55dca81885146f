import type { Message } from 'kafkajs';
import { ID_HEADER, type OutgoingMessage, type Sender, type SendResult } from '../outgoing.js';
import type { KafkaProducers } from './kafka-producers.js';
import { kafkaRefusalOf } from './kafka-refusal.js';

/** Sends publications to a topic; those of one channel to the same partition, because the channel is their key. */
export function kafkaSender(producers: Pick<KafkaProducers, 'send'>, topic: string): Sender {
  return async function send(messages): Promise<readonly SendResult[]> {
    const same = (result: SendResult): SendResult[] => messages.map(() => result);
    try {
      await producers.send(topic, messages.map(recordOf));
      return same('sent');
    } catch (error) {
      const refusal = kafkaRefusalOf(error);
      if (refusal === undefined) return same({ failure: (error as Error).message });
      if (refusal.of === 'topic' || messages.length === 1) return same({ refused: refusal.reason });
      // Half by half, until the one that is refused is alone.
      const middle = Math.ceil(messages.length / 2);
      const first = await send(messages.slice(0, middle));
      const failed = first.find((result) => typeof result === 'object' && 'failure' in result);
      const rest = messages.slice(middle);
      // What comes later must not overtake what failed.
      return [...first, ...(failed === undefined ? await send(rest) : rest.map(() => failed))];
    }
  };
}

function recordOf({ channel, payload, headers, id }: OutgoingMessage): Message {
  return { key: channel, value: Buffer.from(payload), headers: { ...headers, [ID_HEADER]: id } };
}
