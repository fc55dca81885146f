import { describe, expect, it } from 'vitest';
import { connect } from '../support/test-client.js';
import { startTestServer } from '../support/test-server.js';

const LONG = { text: 'the same words again and again, '.repeat(200) };

describe('compression', () => {
  it('is not offered to clients of single messages unless it is configured', async () => {
    await using server = await startTestServer();
    await using client = await connect(server.url);
    expect(client.socket.extensions).toBe('');
  });

  it('compresses long messages for clients that negotiated it, and only those', async () => {
    await using server = await startTestServer({ COMPRESS_FROM_BYTES: '1024' });
    await using compressed = await connect(server.url);
    await using plain = await connect(server.url, { perMessageDeflate: false });
    expect(compressed.socket.extensions).toContain('permessage-deflate');

    compressed.send({ type: 'broadcast', data: LONG });
    expect((await compressed.next()).data).toEqual(LONG);
    expect((await plain.next()).data).toEqual(LONG);
    expect(compressed.bytesRead).toBeLessThan(1_024);
    expect(plain.bytesRead).toBeGreaterThan(6_000);
  });

  it('leaves short messages as they are', async () => {
    await using server = await startTestServer({ COMPRESS_FROM_BYTES: '1024' });
    await using client = await connect(server.url);
    expect((await client.request('echo', 'short')).data).toBe('short');
  });

  it('reads compressed messages of clients, and holds their inflated size against the limit', async () => {
    await using server = await startTestServer({ COMPRESS_FROM_BYTES: '1024', MAX_MESSAGE_BYTES: '8000' });
    await using client = await connect(server.url, { perMessageDeflate: { threshold: 0 } });
    expect((await client.request('echo', LONG)).data).toEqual(LONG);
    client.send({ type: 'echo', data: 'x'.repeat(100_000) });
    expect(await client.closed).toEqual({ code: 1009, reason: 'Message size exceeds limit' });
  });

  it('sends plain messages to a client that asked for a smaller window', async () => {
    await using server = await startTestServer({ COMPRESS_FROM_BYTES: '1024' });
    await using client = await connect(server.url, { perMessageDeflate: { serverMaxWindowBits: 9 } });
    expect((await client.request('echo', LONG)).data).toEqual(LONG);
    expect(client.bytesRead).toBeGreaterThan(6_000);
  });
});
