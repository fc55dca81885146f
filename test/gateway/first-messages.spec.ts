import { describe, expect, it } from 'vitest';
import { connect } from '../support/test-client.js';
import { startTestServer } from '../support/test-server.js';

describe('the built-in messages', () => {
  it('answers echo with the same data and the request id', async () => {
    await using server = await startTestServer();
    await using client = await connect(server.url);
    expect(await client.request('echo', { text: 'hi', list: [1, null] }, 'c-17')).toEqual({
      v: 1,
      type: 'echo_reply',
      id: 'c-17',
      data: { text: 'hi', list: [1, null] },
    });
  });
});
