/** What is refused: this message alone, or everything for the topic. */
export interface KafkaRefusal {
  readonly of: 'message' | 'topic';
  readonly reason: string;
}

/** A batch is refused with these as a whole, because of one of its messages or of its size. */
const MESSAGE = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD', 'INVALID_TIMESTAMP']);
const TOPIC = new Set([
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'INVALID_TOPIC_EXCEPTION',
  'POLICY_VIOLATION',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
]);

type KafkaError = Error & { readonly type?: string; readonly cause?: unknown };

/**
 * Returns what the broker refuses for good; undefined if it may take it later. As in the client of Kafka itself, a topic
 * that does not exist may be made, but rights are not waited for.
 */
export function kafkaRefusalOf(error: unknown): KafkaRefusal | undefined {
  const { message: reason } = causeOf(error as KafkaError);
  const type = kafkaErrorType(error);
  if (MESSAGE.has(type)) return { of: 'message', reason };
  return TOPIC.has(type) ? { of: 'topic', reason } : undefined;
}

/** The name that Kafka has for an error, such as `UNKNOWN_TOPIC_OR_PARTITION`; empty if it is not of the broker. */
export function kafkaErrorType(error: unknown): string {
  return causeOf(error as KafkaError).type ?? '';
}

function causeOf(error: KafkaError): KafkaError {
  return error.type === undefined && error.cause instanceof Error ? causeOf(error.cause) : error;
}
