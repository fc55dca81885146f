import { SubscribeMessage } from '@nestjs/websockets';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MessageCost } from '../../src/access/limits/message-cost.js';
import { RealtimeGateway } from '../../src/dispatch/realtime-gateway.js';
import { SessionRegistry } from '../../src/sessions/session-registry.js';
import { eventually } from '../support/eventually.js';
import { feature } from '../support/feature.js';
import { Scrape } from '../support/scrape.js';
import { StoppedClock } from '../support/stopped-clock.js';
import { connect, type Message, type TestClient } from '../support/test-client.js';
import { startTestServer } from '../support/test-server.js';

@MessageCost(3)
@RealtimeGateway()
class DearGateway {
  static calls = 0;

  @MessageCost(5)
  @SubscribeMessage('test.dear')
  dear(): string {
    DearGateway.calls += 1;
    return 'dear';
  }

  @SubscribeMessage('test.as-the-class')
  asTheClass(): string {
    return 'as the class';
  }

  @MessageCost(1)
  @SubscribeMessage('test.cheap')
  cheap(): string {
    return 'cheap';
  }
}

const DEAR = [feature([DearGateway])];

/** A starved server would take long enough for tokens to come back. */
let clock: StoppedClock;
beforeEach(() => void (clock = new StoppedClock()));
afterEach(() => clock[Symbol.dispose]());

/** Sends messages of these types at once, with their index as id, and awaits all answers. */
async function burst(client: TestClient, types: readonly string[]): Promise<Message[]> {
  for (const [id, type] of types.entries()) client.send({ type, id });
  const answers: Message[] = [];
  while (answers.length < types.length) answers.push(await client.next());
  return answers;
}

const codes = (answers: readonly Message[]) => answers.map(({ code = 'ok' }) => code);

describe('a message type that costs several tokens', () => {
  it('passes as often as the burst pays for it, and is told when there is enough for it again', async () => {
    await using server = await startTestServer({ MESSAGE_RATE: '1', MESSAGE_BURST: '12' }, DEAR);
    await using client = await connect(server.url);
    const before = await Scrape.of(server);
    const answers = await burst(client, ['test.dear', 'test.dear', 'test.dear', 'echo', 'echo', 'echo']);
    expect(codes(answers)).toEqual(['ok', 'ok', 'RATE_LIMIT_EXCEEDED', 'ok', 'ok', 'RATE_LIMIT_EXCEEDED']);
    const [, , dear, , , cheap] = answers;
    expect(dear).toMatchObject({ type: 'error', id: 2 });
    // Two of its five tokens were there: they are not paid for what was refused.
    expect(dear?.['retryAfter']).toBeGreaterThan(1_000);
    expect(dear?.['retryAfter']).toBeLessThanOrEqual(3_000);
    expect(cheap?.['retryAfter']).toBeLessThanOrEqual(1_000);
    const after = await Scrape.of(server);
    expect(after.since(before, 'websocket_messages_over_rate_total{of="session"}')).toBe(2);
  });

  it('is told so also where not even its first token is there', async () => {
    await using server = await startTestServer({ MESSAGE_RATE: '1', MESSAGE_BURST: '5' }, DEAR);
    await using client = await connect(server.url);
    const [, error] = await burst(client, ['test.dear', 'test.dear']);
    expect(error).toMatchObject({ code: 'RATE_LIMIT_EXCEEDED' });
    expect(error?.['retryAfter']).toBeGreaterThan(3_000);
  });

  it('passes when retried after that time', async () => {
    await using server = await startTestServer({ MESSAGE_RATE: '50', MESSAGE_BURST: '5' }, DEAR);
    await using client = await connect(server.url);
    const [, error] = await burst(client, ['test.dear', 'test.dear']);
    expect(error).toMatchObject({ code: 'RATE_LIMIT_EXCEEDED' });
    clock.pass(Number(error?.['retryAfter']));
    expect(await client.request('test.dear')).toMatchObject({ data: 'dear' });
  });

  it('that is refused costs nothing, until so many are refused that reading them must be paid for', async () => {
    await using server = await startTestServer(
      { MESSAGE_RATE: '1', MESSAGE_BURST: '8', RATE_ABUSE_BAN_AFTER: '0' },
      DEAR,
    );
    await using client = await connect(server.url);
    expect(codes(await burst(client, ['test.dear']))).toEqual(['ok']);
    // Three tokens are left, two short of what it costs. Two hundred refusals are read for nothing, then each takes a token.
    for (let id = 0; id < 204; id += 1) client.send({ type: 'test.dear', id });
    const answers: Message[] = [];
    while (answers.length < 204) answers.push(await client.next());
    expect(answers.map(({ code, id }) => [code, id]).slice(0, 203)).toEqual(
      Array.from({ length: 203 }, (_, id) => ['RATE_LIMIT_EXCEEDED', id]),
    );
    expect(answers[203]).toMatchObject({ details: { messages: ['1 refused without being read'] } });
  });

  it('costs its address as much', async () => {
    await using server = await startTestServer({ MESSAGE_RATE_PER_IP: '3' }, DEAR);
    await using first = await connect(server.url);
    await using second = await connect(server.url);
    expect(codes(await burst(first, ['test.dear']))).toEqual(['ok']);
    expect(codes(await burst(second, ['test.dear']))).toEqual(['RATE_LIMIT_EXCEEDED']);
  });

  it('costs what stands on its class, unless its method says otherwise', async () => {
    await using server = await startTestServer({ MESSAGE_RATE: '1', MESSAGE_BURST: '7' }, DEAR);
    await using client = await connect(server.url);
    const types = ['test.as-the-class', 'test.as-the-class', 'test.as-the-class', 'test.cheap', 'test.cheap'];
    expect(codes(await burst(client, types))).toEqual(['ok', 'ok', 'RATE_LIMIT_EXCEEDED', 'ok', 'RATE_LIMIT_EXCEEDED']);
  });

  it('waits for its tokens where messages are throttled: all come through once, in order, while reading pauses', async () => {
    const throttle = { RATE_LIMIT_MODE: 'throttle', MESSAGE_RATE: '100', MESSAGE_BURST: '6' };
    await using server = await startTestServer(throttle, DEAR);
    await using client = await connect(server.url);
    const [session] = server.app.get(SessionRegistry, { strict: false });
    DearGateway.calls = 0;
    const types = Array.from({ length: 40 }, (_, n) => (n % 4 === 0 ? 'test.dear' : 'echo'));
    const answers = burst(client, types);
    await eventually('reading pauses', () => session?.connection.isPaused === true);
    // Six tokens pay for a dear one and an echo.
    expect(DearGateway.calls).toBe(1);
    const flow = setInterval(() => clock.pass(10), 1);
    const answered = await answers.finally(() => clearInterval(flow));
    expect(answered.map(({ type, id }) => [type, id])).toEqual(types.map((type, id) => [`${type}_reply`, id]));
    expect(DearGateway.calls).toBe(10);
    clock.pass(1_000);
    await eventually('reading goes on', () => session?.connection.isPaused === false);
  });
});

describe('a cost that no client could pay', () => {
  it.each([0, 1.5, 11])('stops the start, with a sentence that names the handler: %d', async (cost) => {
    @RealtimeGateway()
    class WrongGateway {
      @MessageCost(cost)
      @SubscribeMessage('test.wrong')
      answer(): void {}
    }
    await expect(
      startTestServer({ MESSAGE_RATE: '5', MESSAGE_BURST: '10' }, [feature([WrongGateway])]),
    ).rejects.toThrow(`@MessageCost(${cost}) on WrongGateway.answer ("test.wrong") must be a whole number of tokens`);
  });

  it('is none where no rate is limited', async () => {
    await using server = await startTestServer({}, DEAR);
    await using client = await connect(server.url);
    expect(codes(await burst(client, Array<string>(50).fill('test.dear')))).toEqual(Array(50).fill('ok'));
  });
});

describe('the size of a message, where it costs', () => {
  const settings = { MESSAGE_RATE: '1', MESSAGE_BURST: '10', MESSAGE_COST_BYTES: '1000' };

  it('is paid with a token for each of so many bytes that it has begun', async () => {
    await using server = await startTestServer(settings, DEAR);
    await using client = await connect(server.url);
    // 3 for 2,500 bytes, and 5 for a dear one of no size.
    const answers = [
      await client.request('echo', 'x'.repeat(2_500)),
      ...(await burst(client, ['test.dear', 'echo', 'echo', 'echo'])),
    ];
    expect(codes(answers)).toEqual(['ok', 'ok', 'ok', 'ok', 'RATE_LIMIT_EXCEEDED']);
  });

  it('adds to what its type costs', async () => {
    await using server = await startTestServer(settings, DEAR);
    await using client = await connect(server.url);
    // 3 for its bytes and 4 more for its type.
    expect(await client.request('test.dear', 'x'.repeat(2_500))).toMatchObject({ data: 'dear' });
    expect(codes(await burst(client, ['echo', 'echo', 'echo', 'echo']))).toEqual([
      'ok',
      'ok',
      'ok',
      'RATE_LIMIT_EXCEEDED',
    ]);
  });

  it('keeps none out for good: what costs more than the burst needs all of it', async () => {
    await using server = await startTestServer({ ...settings, MESSAGE_RATE: '20' });
    await using client = await connect(server.url);
    expect(await client.request('echo', 'x'.repeat(100_000))).toMatchObject({ type: 'echo_reply' });
    const refused = await client.request('echo', 'x'.repeat(100_000));
    expect(refused).toMatchObject({ code: 'RATE_LIMIT_EXCEEDED' });
    clock.pass(Number(refused['retryAfter']));
    expect(await client.request('echo', 'x'.repeat(100_000))).toMatchObject({ type: 'echo_reply' });
  });
});
