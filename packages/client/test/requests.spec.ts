import { describe, expect, it } from 'vitest';
import { createClient, type ClientOptions, type GatehouseError } from '../src/index.js';
import { Refusal, TestServer, type TestServerOptions } from '../src/testing.js';

const SECOND = 1_000;

function start(options: Partial<ClientOptions> & TestServerOptions = {}) {
  const server = new TestServer(options);
  const client = createClient({ url: 'ws://test/ws', ...server.environment, ...options });
  const errors: GatehouseError[] = [];
  client.on('error', (error) => errors.push(error));
  client.connect();
  return { server, client, errors };
}

/** What became of a promise, without waiting for it. */
function outcomeOf(promise: Promise<unknown>): { readonly value?: unknown; readonly error?: GatehouseError } {
  const outcome: { value?: unknown; error?: GatehouseError } = {};
  promise.then(
    (value) => (outcome.value = value),
    (error: GatehouseError) => (outcome.error = error),
  );
  return outcome;
}

describe('a request', () => {
  it('has the reply of its id, in whatever order replies come', async () => {
    const { server, client } = start();
    const outcomes = ['a', 'b', 'c'].map((data) => outcomeOf(client.request('echo', data)));
    await server.clock.advance(SECOND);
    expect(outcomes).toEqual([{ value: 'a' }, { value: 'b' }, { value: 'c' }]);
  });

  it('is sent again with the same id after an error that may be retried, when the server asks for it', async () => {
    const { server, client } = start();
    await server.clock.advance(SECOND);
    server.failNext('chat.post', 'RATE_LIMIT_EXCEEDED', 4_000);
    server.handle('chat.post', () => 'posted');
    const outcome = outcomeOf(client.request('chat.post', { text: 'hi' }));
    await server.clock.advance(3_900);
    expect(outcome).toEqual({});
    await server.clock.advance(2 * SECOND);
    expect(outcome).toEqual({ value: 'posted' });
    expect(new Set(server.requests.map(({ id }) => id)).size).toBe(1);
  });

  it('fails with a typed error if it may not be retried, or not any more', async () => {
    const { server, client } = start();
    server.handle('chat.join', () => {
      throw new Refusal('FORBIDDEN');
    });
    server.handle('chat.post', () => {
      throw new Refusal('SERVER_BUSY');
    });
    const forbidden = outcomeOf(client.request('chat.join'));
    const busy = outcomeOf(client.request('chat.post', 1, { timeoutMs: 60_000 }));
    const once = outcomeOf(client.request('chat.post', 2, { retry: false }));
    await server.clock.advance(60 * SECOND);
    expect(forbidden.error).toMatchObject({ name: 'GatehouseError', code: 'FORBIDDEN' });
    expect([busy.error?.code, once.error?.code]).toEqual(['SERVER_BUSY', 'SERVER_BUSY']);
    expect(server.requests.filter(({ data }) => data === 1)).toHaveLength(5);
    expect(server.requests.filter(({ data }) => data === 2)).toHaveLength(1);
  });

  it('ends at its deadline, or when it is aborted, and leaves no timer', async () => {
    const { server, client } = start();
    server.handle('slow', () => undefined);
    const abort = new AbortController();
    const late = outcomeOf(client.request('slow', 1, { timeoutMs: 3_000 }));
    const aborted = outcomeOf(client.request('slow', 2, { signal: abort.signal }));
    await server.clock.advance(2 * SECOND);
    expect([late, aborted]).toEqual([{}, {}]);
    abort.abort('mine');
    await server.clock.advance(2 * SECOND);
    expect(late.error).toMatchObject({ code: 'NO_ANSWER', outcomeUnknown: true });
    expect(aborted.error).toMatchObject({ code: 'ABORTED', cause: 'mine', outcomeUnknown: true });
    const before = outcomeOf(client.request('slow', 3, { signal: abort.signal }));
    client.close();
    await server.clock.advance(10);
    expect(before.error).toMatchObject({ code: 'ABORTED', outcomeUnknown: false });
    expect(server.clock.pending).toBe(0);
  });

  it('has an unknown outcome when the connection ends, unless it may be sent again', async () => {
    const { server, client } = start();
    await server.clock.advance(SECOND);
    let answers = 0;
    server.handle('work', () => (answers++ < 2 ? undefined : 'done'));
    const plain = outcomeOf(client.request('work'));
    const idempotent = outcomeOf(client.request('work', 1, { idempotent: true }));
    await server.clock.advance(10);
    server.closeAll(1006);
    await server.clock.advance(2 * SECOND);
    expect(plain.error).toMatchObject({ code: 'CONNECTION_LOST', outcomeUnknown: true });
    expect(idempotent).toEqual({ value: 'done' });
  });

  it('fails at once while there is no connection, and waits if the queue is on', async () => {
    for (const queue of [false, true]) {
      const { server, client } = start({ queue });
      await server.clock.advance(SECOND);
      server.closeAll(1012, '5000');
      await server.clock.advance(10);
      const outcome = outcomeOf(client.request('echo', 'hi'));
      await server.clock.advance(10);
      expect(outcome.error?.code).toBe(queue ? undefined : 'NOT_CONNECTED');
      await server.clock.advance(6 * SECOND);
      expect(outcome.value).toBe(queue ? 'hi' : undefined);
    }
  });

  it('is refused if too many wait, or too much, and gets too old', async () => {
    const { server, client } = start({ queue: { messages: 3, bytes: 1_000, ageMs: 4_000 } });
    server.refusal = () => ({ code: 1006, reason: '' });
    await server.clock.advance(SECOND);
    const large = outcomeOf(client.request('echo', 'x'.repeat(1_000)));
    const outcomes = [1, 2, 3, 4].map((data) => outcomeOf(client.request('echo', data)));
    await server.clock.advance(10);
    expect([large.error?.code, outcomes[3]?.error?.code]).toEqual(['QUEUE_FULL', 'QUEUE_FULL']);
    await server.clock.advance(4 * SECOND);
    expect(outcomes[0]?.error).toMatchObject({ code: 'NO_ANSWER', outcomeUnknown: false });
  });

  it('is refused if 10,000 others wait for their answer', async () => {
    const { server, client } = start();
    server.handle('slow', () => undefined);
    await server.clock.advance(SECOND);
    const waiting = Array.from({ length: 10_000 }, () => client.request('slow'));
    for (const request of waiting) request.catch(() => {});
    await server.clock.advance(SECOND);
    await expect(client.request('slow')).rejects.toMatchObject({ code: 'QUEUE_FULL', outcomeUnknown: false });
    client.close();
    await expect(Promise.allSettled(waiting)).resolves.toHaveLength(10_000);
  });

  it('keeps to the message rate that the server told, also after a pause', async () => {
    const limits = { maxMessageBytes: 0, messageRate: 10, messageBurst: 20 };
    const { server, client } = start({ limits });
    await server.clock.advance(SECOND);
    const outcomes = Array.from({ length: 60 }, (_, data) => outcomeOf(client.request('echo', data)));
    await server.clock.advance(SECOND);
    expect(server.requests.length).toBeLessThanOrEqual(30);
    await server.clock.advance(10 * SECOND);
    expect(outcomes.map(({ value }) => value)).toEqual(Array.from({ length: 60 }, (_, data) => data));
  });

  it('never sends what would end the connection or cannot be sent', async () => {
    const { server, client } = start({ limits: { maxMessageBytes: 200, messageRate: 0, messageBurst: 0 } });
    await server.clock.advance(SECOND);
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    const outcomes = ['é'.repeat(90), cycle, 1n].map((data) => outcomeOf(client.request('echo', data)));
    await server.clock.advance(SECOND);
    expect(outcomes.map(({ error }) => error?.code)).toEqual(['MESSAGE_TOO_LARGE', 'BAD_DATA', 'BAD_DATA']);
    expect(server.requests).toEqual([]);
  });

  it('to publish has a key, so that no retry publishes twice', async () => {
    const { server, client } = start();
    const channel = client.channel('room:lobby');
    server.failNext('publish', 'NOT_REPLICATED');
    const outcome = outcomeOf(channel.publish({ text: 'hi' }));
    await server.clock.advance(5 * SECOND);
    expect(outcome.value).toMatchObject({ channel: 'room:lobby', seq: 1 });
    const keys = server.requests
      .filter(({ type }) => type === 'publish')
      .map(({ data }) => (data as { idempotencyKey: string }).idempotencyKey);
    expect(keys[0]).toMatch(/^[\w-]{10,}$/);
    expect(new Set(keys).size).toBe(1);
  });
});

describe('an event', () => {
  it('reaches each handler of its type, also if another throws', async () => {
    const { server, client, errors } = start();
    const seen: unknown[] = [];
    client.on('direct_message', () => {
      throw new Error('mine');
    });
    const end = client.on('direct_message', (data) => seen.push(data));
    await server.clock.advance(SECOND);
    server.emit({ type: 'direct_message', data: 1 });
    await server.clock.advance(10);
    end();
    server.emit({ type: 'direct_message', data: 2 });
    await server.clock.advance(10);
    expect(seen).toEqual([1]);
    expect(errors.map(({ code }) => code)).toEqual(['HANDLER_FAILED', 'HANDLER_FAILED']);
  });

  it('of the server that is an error without a request is told', async () => {
    const { server, errors } = start();
    await server.clock.advance(SECOND);
    server.emit({ type: 'error', code: 'RATE_LIMIT_EXCEEDED', message: 'Rate limit exceeded' } as never);
    await server.clock.advance(10);
    expect(errors.map(({ code }) => code)).toEqual(['RATE_LIMIT_EXCEEDED']);
  });
});
