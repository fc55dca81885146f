import { describe, expect, it } from 'vitest';
import { GatehouseError } from '../../../src/protocol/gatehouse-error.js';

describe('an error for a client', () => {
  it('has no stack, which a flood would have to be paid for, and leaves those of other errors alone', () => {
    const answer = new GatehouseError('RATE_LIMIT_EXCEEDED', { retryAfter: 10 });
    expect(answer.stack).not.toContain('\n');
    expect(answer).toMatchObject({ name: 'GatehouseError', code: 'RATE_LIMIT_EXCEEDED', retryAfter: 10 });
    expect(new Error('a fault').stack).toContain('gatehouse-error.spec');
  });
});
