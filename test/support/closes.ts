import { expect } from 'vitest';
import type { Closed } from './test-client.js';

/** How a client is closed whose address, or whose user, has too many connections or is banned: that, until when, or neither. */
export const TOO_MANY: Closed = {
  code: 4001,
  reason: expect.stringMatching(
    /^(?:Too many connections, try again later|(?:Too many connections,|Address|User) banned until \d{4}-.+Z)$/,
  ) as string,
};
