import { describe, expect, it } from 'vitest';
import { REPLY_COST_BYTES } from '../../src/access/limits/message-rate.js';
import { namespacesFile } from '../support/namespaces-file.js';
import { connect, type TestClient } from '../support/test-client.js';
import { mintToken, startTestServer } from '../support/test-server.js';

const CHANNEL = 'log:a';
/** Tokens that the whole history costs, but for the one of the request. */
const WHOLE = 20;

/** Fills a history that is as large as so many tokens bring. */
async function fill(server: { readonly http: string }): Promise<void> {
  const data = 'x'.repeat(REPLY_COST_BYTES);
  for (let n = 0; n < WHOLE; n += 1) {
    const response = await fetch(`${server.http}/api/publish`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${mintToken({ sub: 'backend', roles: ['SERVICE'] })}`,
      },
      body: JSON.stringify({ channel: CHANNEL, data }),
    });
    expect(response.ok).toBe(true);
  }
}

describe('a reply that brings much', () => {
  const file = namespacesFile({ log: 'subscribe: anyone, history: { size: 100, age: 1h }, presence: true' });
  const settings = { ...file.environment, MESSAGE_RATE: '1', MESSAGE_BURST: '10' };
  const asks: [string, (client: TestClient) => Promise<unknown>][] = [
    ['history', (client) => client.request('history', { channel: CHANNEL, limit: 10_000 })],
    ['subscribe', (client) => client.request('subscribe', { channel: CHANNEL, since: { epoch: 'before', seq: 0 } })],
  ];

  it.each(asks)('costs what it brings: %s', async (type, ask) => {
    await using server = await startTestServer(settings);
    await fill(server);
    await using client = await connect(server.url);
    expect(await ask(client)).toMatchObject({ type: `${type}_reply`, data: { seq: WHOLE } });
    const refused = await client.request('echo', 1);
    expect(refused).toMatchObject({ code: 'RATE_LIMIT_EXCEEDED' });
    expect(refused['retryAfter']).toBeGreaterThan(0);
  });

  it('costs one token where it brings little', async () => {
    await using server = await startTestServer(settings);
    await using client = await connect(server.url);
    for (const type of ['history', 'presence', 'subscribe'])
      expect(await client.request(type, { channel: CHANNEL })).toMatchObject({ type: `${type}_reply` });
    expect(await client.request('echo', 1)).toMatchObject({ data: 1 });
  });
});
