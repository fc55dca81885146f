import type { KafkaMessage } from 'kafkajs';
import type { MessageOutcome } from '../bridge-events.js';
import { PAYLOAD_BYTES_HEADER, PLACE_HEADER, REASON_HEADER } from '../dead-letter-headers.js';
import type { KafkaProducers } from './kafka-producers.js';
import { kafkaRefusalOf } from './kafka-refusal.js';

export interface DeadLetter {
  readonly topic: string;
  readonly message: KafkaMessage;
  readonly reason: string;
  readonly place: string;
}

/** No null, which would delete what a compacted topic has of the key. */
const NOTHING = Buffer.alloc(0);

/**
 * Puts a message that can never be published aside. With its reason it may be larger than the broker takes: then it goes
 * without its payload, or, if its key and headers alone are too large, not at all. It must not hold up its partition.
 *
 * @throws Error if it has to be tried again
 */
export async function bury(
  producers: Pick<KafkaProducers, 'send'>,
  { topic, message, reason, place }: DeadLetter,
): Promise<MessageOutcome> {
  const { key, value } = message;
  const headers = { ...message.headers, [REASON_HEADER]: reason, [PLACE_HEADER]: place };
  try {
    await producers.send(topic, [{ key, value, headers }]);
    return 'dead_lettered';
  } catch (error) {
    demandRefusal(error);
  }
  const bytes = String(value?.byteLength ?? 0);
  try {
    await producers.send(topic, [{ key, value: NOTHING, headers: { ...headers, [PAYLOAD_BYTES_HEADER]: bytes } }]);
    return 'emptied';
  } catch (error) {
    demandRefusal(error);
    return 'skipped';
  }
}

/** A topic that is missing or forbidden is a fault of its settings, and no reason to lose messages. */
function demandRefusal(error: unknown): void {
  if (kafkaRefusalOf(error)?.of !== 'message') throw error;
}
