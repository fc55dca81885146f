import type { Admin, Kafka } from 'kafkajs';
import { pause } from '../../channels/backoff.js';
import { kafkaErrorType } from './kafka-refusal.js';

const MISSING = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'TOPIC_AUTHORIZATION_FAILED', 'INVALID_TOPIC_EXCEPTION']);

/**
 * Returns which topics exist and may be seen. A consumer that subscribes to another one reads nothing at all.
 *
 * @throws Error if the broker cannot be reached
 */
export async function existingTopics(client: Pick<Kafka, 'admin'>, topics: readonly string[]): Promise<Set<string>> {
  const admin = client.admin();
  const existing = new Set<string>();
  try {
    await admin.connect();
    for (const topic of topics) if (await exists(admin, topic)) existing.add(topic);
    return existing;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

/** Asked for one at a time, for one that is missing fails the whole request. */
async function exists(admin: Admin, topic: string): Promise<boolean> {
  try {
    await admin.fetchTopicMetadata({ topics: [topic] });
    return true;
  } catch (error) {
    if (!MISSING.has(kafkaErrorType(error))) throw error;
    return false;
  }
}

interface MissingTopics {
  readonly topics: readonly string[];
  readonly everyMs: number;
  /** Called for each topic whenever it is still missing. */
  readonly stillMissing: (topic: string) => void;
  readonly signal: AbortSignal;
}

/** Resolves with true when one of them exists, with false when the signal is aborted. Never rejects. */
export async function oneAppears(
  client: Pick<Kafka, 'admin'>,
  { topics, everyMs, stillMissing, signal }: MissingTopics,
): Promise<boolean> {
  while (!signal.aborted) {
    for (const topic of topics) stillMissing(topic);
    await pause(everyMs, signal);
    if (signal.aborted) return false;
    // The bridge finds out by itself if the broker is away.
    const existing = await existingTopics(client, topics).catch(() => new Set<string>());
    if (existing.size > 0) return !signal.aborted;
  }
  return false;
}
