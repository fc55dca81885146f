import { describe, expect, it } from 'vitest';
import { kafkaSender } from '../../../src/bridges/kafka/kafka-sender.js';
import type { OutgoingMessage } from '../../../src/bridges/outgoing.js';

const KAFKA_ERROR = (type: string): Error => Object.assign(new Error(type), { type });

/** As the client throws it, after its own attempts. */
function wrapped(type: string): Error {
  return new Error('failed', { cause: KAFKA_ERROR(type) });
}

function message(id: string): OutgoingMessage {
  const destination = { kafka: 'rooms' };
  return { destination, id, channel: 'room:1', payload: Buffer.from(id), headers: {}, expiresAt: undefined };
}

function batch(ids: string): OutgoingMessage[] {
  return Array.from(ids, (id) => message(id));
}

/** A broker that fails with what it is told. */
function broker(faultOf: (ids: readonly string[]) => Error | undefined) {
  const stored: string[] = [];
  const producers = {
    send: async (_topic: string, messages: readonly { value: Buffer | string | null }[]): Promise<void> => {
      const ids = messages.map(({ value }) => String(value));
      const fault = faultOf(ids);
      if (fault !== undefined) throw fault;
      stored.push(...ids);
    },
  };
  return { stored, send: kafkaSender(producers, 'rooms') };
}

describe('a sender to a topic', () => {
  it.each(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD', 'INVALID_TIMESTAMP'])(
    'gives up the message that is refused with %s, and stores the others in order',
    async (type) => {
      const { stored, send } = broker((ids) => (ids.includes('c') ? KAFKA_ERROR(type) : undefined));
      expect(await send(batch('abcde'))).toEqual(['sent', 'sent', { refused: type }, 'sent', 'sent']);
      expect(stored).toEqual(['a', 'b', 'd', 'e']);
    },
  );

  it('stores a batch in parts if it is too large only as a whole', async () => {
    const { stored, send } = broker((ids) => (ids.length > 2 ? KAFKA_ERROR('MESSAGE_TOO_LARGE') : undefined));
    expect(await send(batch('abcdefg'))).toEqual(Array.from('abcdefg', () => 'sent'));
    expect(stored).toEqual(Array.from('abcdefg'));
  });

  it.each([
    'TOPIC_AUTHORIZATION_FAILED',
    'CLUSTER_AUTHORIZATION_FAILED',
    'INVALID_TOPIC_EXCEPTION',
    'POLICY_VIOLATION',
  ])('gives up everything if the topic refuses it with %s', async (type) => {
    let requests = 0;
    const { send } = broker(() => ((requests += 1), wrapped(type)));
    expect(await send(batch('abc'))).toEqual(Array.from('abc', () => ({ refused: type })));
    expect(requests).toBe(1);
  });

  it.each(['UNKNOWN_TOPIC_OR_PARTITION', 'NOT_ENOUGH_REPLICAS', 'REQUEST_TIMED_OUT'])(
    'keeps everything if it failed with %s, which may pass',
    async (type) => {
      const { send } = broker(() => wrapped(type));
      expect(await send(batch('ab'))).toEqual([{ failure: 'failed' }, { failure: 'failed' }]);
    },
  );

  it('sends nothing after what failed, so that the order is kept', async () => {
    const { stored, send } = broker((ids) => {
      if (ids.length > 2) return KAFKA_ERROR('MESSAGE_TOO_LARGE');
      return ids.includes('b') ? new Error('away') : undefined;
    });
    expect(await send(batch('abcd'))).toEqual(Array.from('abcd', () => ({ failure: 'away' })));
    expect(stored).toEqual([]);
  });
});
