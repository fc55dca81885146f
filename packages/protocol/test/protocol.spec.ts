import { describe, expect, it } from 'vitest';
import {
  adviceFor,
  bannedUntil,
  CLOSES,
  ERRORS,
  isRetryable,
  MAX_CHANNEL_NAME_LENGTH,
  parseChannelName,
  reconnectWindow,
} from '../src/protocol.js';

describe('what to do after a close', () => {
  it.each(Object.entries(CLOSES))('is decided by the code of %s alone', (_, { code, client }) => {
    expect(adviceFor(code)).toBe(client);
  });

  it('is to reconnect after a code that is not in the table', () => {
    expect([1005, 1006, 1011, 1014, 1015, 3000, 4999].map(adviceFor)).toEqual(Array(7).fill('reconnect'));
  });

  it('names the window of a drain, and none where the reason announces none', () => {
    expect(reconnectWindow('60000')).toBe(60_000);
    expect(['Server restarting', '', '-5', '1e9', '12345678901'].map(reconnectWindow)).toEqual(
      Array(5).fill(undefined),
    );
  });

  it('names the end of a ban, and none where the reason announces none', () => {
    expect(bannedUntil('Address banned until 2030-01-31T12:00:00Z')).toBe(Date.UTC(2030, 0, 31, 12));
    expect(bannedUntil('Too many connections, banned until 2030-01-31T12:00:00Z')).toBe(Date.UTC(2030, 0, 31, 12));
    expect([CLOSES.too_many_messages.reason, 'banned until soon'].map(bannedUntil)).toEqual([undefined, undefined]);
  });
});

describe('an error', () => {
  it.each(Object.entries(ERRORS))('may be retried as the registry says: %s', (code, { retry }) => {
    expect(isRetryable(code)).toBe(retry);
  });

  it('of a handler is not retried', () => {
    expect(isRetryable('OUT_OF_STOCK')).toBe(false);
  });
});

describe('a channel name', () => {
  it.each([
    ['room:lobby', 'room', 'lobby'],
    ['room:a:b', 'room', 'a:b'],
    ['feed_1-x:größe 🙂', 'feed_1-x', 'größe 🙂'],
  ])('%s has a namespace and a local name', (name, namespace, localName) => {
    expect(parseChannelName(name)).toEqual({ namespace, localName });
  });

  it.each(['', 'room', ':lobby', 'room:', 'room: lobby', 'a b:c', 'room:a\nb', `room:${'x'.repeat(251)}`])(
    'cannot be %j',
    (name) => {
      expect(parseChannelName(name)).toBeUndefined();
    },
  );

  it('may be as long as the limit', () => {
    expect(parseChannelName(`room:${'x'.repeat(MAX_CHANNEL_NAME_LENGTH - 5)}`)).toBeDefined();
  });
});
