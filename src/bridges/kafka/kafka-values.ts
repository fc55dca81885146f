import type { IHeaders, KafkaMessage } from 'kafkajs';

const HEADER = 'header:';

/** Returns what finds the values of a message: `topic`, `key`, or `header:<name>`. */
export function kafkaValues(topic: string, { key, headers }: KafkaMessage): (name: string) => string | undefined {
  return (name) => {
    if (name === 'topic') return topic;
    if (name === 'key') return key?.toString();
    return headerOf(headers, name.slice(HEADER.length));
  };
}

/** The last value of a header. */
export function headerOf(headers: IHeaders | undefined, name: string): string | undefined {
  const given = headers?.[name];
  return (Array.isArray(given) ? given.at(-1) : given)?.toString();
}
