import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  createClient,
  type ChannelOptions,
  type Cipher,
  type ClientOptions,
  type GatehouseError,
} from '../src/index.js';
import { TestServer } from '../src/testing.js';

const SECOND = 1_000;
const ROOM = 'room:lobby';

function start(options: Partial<ClientOptions> = {}, channelOptions: ChannelOptions = {}) {
  const server = new TestServer();
  const client = createClient({ url: 'ws://test/ws', ...server.environment, ...options });
  const errors: GatehouseError[] = [];
  client.on('error', (error) => errors.push(error));
  const shown: unknown[] = [];
  const onMessage = ({ data }: { data: unknown }): unknown => shown.push(data);
  const channel = client.channel(ROOM, { onMessage, ...channelOptions });
  const codes = (): unknown[] => errors.map(({ code }) => code);
  return { server, client, channel, shown, errors, codes };
}

/** The subscription is still there: what is published is shown. */
async function expectAlive({ server, channel, shown }: ReturnType<typeof start>): Promise<void> {
  await server.clock.advance(60 * SECOND);
  expect(channel.getSnapshot().state).toBe('live');
  server.publish(ROOM, 'alive');
  await server.clock.advance(SECOND);
  expect(shown.at(-1)).toBe('alive');
}

describe('bad input has a typed error, and costs no subscription', () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown): unknown => unhandled.push(error);
  beforeAll(() => void process.on('unhandledRejection', note));
  afterAll(() => void process.off('unhandledRejection', note));
  beforeEach(() => void (unhandled.length = 0));

  const message = (part: object): string =>
    JSON.stringify({ v: 1, type: 'message', channel: ROOM, seq: 1, epoch: 'epoch-1', ...part });

  it.each([
    ['no text that is JSON', '{"type":'],
    ['no envelope', '[1]'],
    ['an envelope without a type', '{"v":1}'],
    ['an envelope of a later version', message({ v: 2 })],
    ['a channel that is no text', message({ channel: 7 })],
    ['a position that is no number', message({ seq: '1' })],
    ['a time that is no number', message({ ts: 'now' })],
    ['an id of another kind', message({ id: {} })],
    ['details that are no object', message({ type: 'error', details: 'all' })],
    ['a wait that is no number', message({ type: 'error', retryAfter: 'later' })],
  ])('BAD_MESSAGE: the server sends %s', async (_, frame) => {
    const used = start();
    await used.server.clock.advance(SECOND);
    used.server.emit(frame);
    await used.server.clock.advance(SECOND);
    expect(used.codes()).toEqual(['BAD_MESSAGE']);
    await expectAlive(used);
  });

  it('BAD_MESSAGE: one message of a list cannot be read, and the others are', async () => {
    const used = start();
    await used.server.clock.advance(SECOND);
    const { epoch, seq } = used.server.positionOf(ROOM);
    const next = (n: number): string => message({ epoch, seq: seq + n, data: n });
    used.server.emit(`[${next(1)},7,{"v":2},${next(2)}]`);
    await used.server.clock.advance(SECOND);
    expect(used.codes()).toEqual(['BAD_MESSAGE', 'BAD_MESSAGE']);
    expect(used.shown.slice(0, 2)).toEqual([1, 2]);
  });

  it('tells nothing of a list after the message at which the client was closed', async () => {
    const used = start();
    await used.server.clock.advance(SECOND);
    const told: unknown[] = [];
    used.client.on('note', (data) => {
      told.push(data);
      used.client.close();
    });
    used.server.emit('[{"type":"note","data":1},{"type":"note","data":2},7]');
    await used.server.clock.advance(SECOND);
    expect(told).toEqual([1]);
    expect(used.codes()).toEqual([]);
  });

  it('BAD_MESSAGE: the server sends a frame that is too long', async () => {
    const used = start({ maxFrameLength: 1_000 });
    await used.server.clock.advance(SECOND);
    used.server.emit({ type: 'huge', data: 'x'.repeat(1_000) });
    await used.server.clock.advance(SECOND);
    expect(used.codes()).toEqual(['BAD_MESSAGE']);
    await expectAlive(used);
  });

  it.each([
    ['subscribe', null],
    ['subscribe', { publications: 7 }],
    ['subscribe', { publications: [7] }],
    ['subscribe', { publications: [], gap: { from: 'all' } }],
    ['presence', null],
    ['presence', { members: 'all' }],
  ])('BAD_MESSAGE: the reply to a %s is %j', async (type, reply) => {
    const used = start({}, { onPresence: () => {} });
    let answers = 0;
    if (type === 'presence') used.server.handle(type, () => reply);
    else {
      const good = { channel: ROOM, recovered: false, publications: [] };
      used.server.handle(type, () => (answers++ === 0 ? reply : good));
    }
    await used.server.clock.advance(SECOND);
    expect(used.codes()).toContain('BAD_MESSAGE');
    await used.server.clock.advance(60 * SECOND);
    expect(used.channel.getSnapshot().state).toBe('live');
  });

  it.each([
    ['gap', null],
    ['gap', { to: 'end' }],
    ['presence', 7],
    ['presence', { event: 'join' }],
    ['presence', { event: 'join', member: { userId: 7 } }],
  ])('a %s with %j changes nothing that is known', async (type, data) => {
    const members: unknown[] = [];
    const used = start({}, { onPresence: (list) => void members.push(list) });
    await used.server.clock.advance(SECOND);
    const known = used.channel.getSnapshot().members;
    used.server.emit(message({ type, data, seq: undefined }));
    await used.server.clock.advance(SECOND);
    expect(used.channel.getSnapshot().members).toEqual(known);
    expect(members).toHaveLength(1);
    await expectAlive(used);
  });

  it.each([
    ['is nothing', undefined],
    ['has no shape', { sessionId: 7 }],
    ['lacks its limits', { sessionId: 's', serverTime: 0, heartbeat: {} }],
  ])('a hello that %s leaves the limits unknown', async (_, hello) => {
    const used = start();
    used.server.handle('hello', () => hello ?? null);
    await expectAlive(used);
    expect(used.client.getSnapshot().session).toBeUndefined();
    expect(used.codes()).toEqual([]);
  });

  it('NO_ANSWER: the server does not answer a subscribe, and the client asks again', async () => {
    const used = start();
    let asked = 0;
    used.server.handle('subscribe', () =>
      asked++ === 0 ? undefined : { channel: ROOM, recovered: false, publications: [] },
    );
    await used.server.clock.advance(60 * SECOND);
    expect(used.codes()).toEqual(['NO_ANSWER']);
    expect(used.channel.getSnapshot().state).toBe('live');
  });

  it.each([
    ['throws', () => Promise.reject(new Error('mine'))],
    [
      'is no promise and throws',
      () => {
        throw new Error('mine');
      },
    ],
    ['never answers', () => new Promise<never>(() => {})],
  ])('LOAD_FAILED: a load that %s is called again', async (_, failing) => {
    let loads = 0;
    const used = start({}, { load: () => (loads++ === 0 ? failing() : Promise.resolve()) });
    await used.server.clock.advance(31 * SECOND);
    expect(used.codes()).toEqual(['LOAD_FAILED']);
    await expectAlive(used);
    expect(loads).toBe(2);
  });

  it('DECRYPTION_FAILED: a message that cannot be decrypted does not keep the next from its reader', async () => {
    const cipher: Cipher = {
      enc: 'test',
      seal: async (data) => String(data),
      openMessage: async (sealed) => (sealed.data === 'sealed' ? Promise.reject(new Error('another key')) : sealed),
    };
    const used = start({ cipher });
    await used.server.clock.advance(SECOND);
    used.server.publish(ROOM, 'sealed');
    used.server.publish(ROOM, 'open');
    await used.server.clock.advance(SECOND);
    expect([used.codes(), used.shown]).toEqual([['DECRYPTION_FAILED'], ['open']]);
    await expectAlive(used);
  });

  it('BAD_DATA: what cannot be encrypted is not sent', async () => {
    const cipher: Cipher = {
      enc: 'test',
      seal: () => Promise.reject(new Error('no key')),
      openMessage: async (all) => all,
    };
    const used = start({ cipher });
    await used.server.clock.advance(SECOND);
    await expect(used.client.request('echo', 'secret')).rejects.toMatchObject({ code: 'BAD_DATA' });
    expect(used.server.requests.some(({ type }) => type === 'echo')).toBe(false);
  });

  it('a load that answers with no position is one without a position', async () => {
    const used = start({}, { load: async () => ({ epoch: 7 }) as never });
    await expectAlive(used);
    expect(used.codes()).toEqual([]);
  });

  const throwing = (): never => {
    throw new Error('mine');
  };
  const rejecting = async (): Promise<never> => throwing();

  it.each([
    ['throws', throwing],
    ['rejects', rejecting as () => never],
  ])('HANDLER_FAILED: every handler %s', async (_, handler) => {
    const used = start({}, { onMessage: handler, onPresence: handler, onGap: handler });
    const second: unknown[] = [];
    used.client.channel(ROOM, { onMessage: ({ data }) => second.push(data) });
    used.client.on('note', handler);
    used.client.subscribe(handler);
    used.channel.subscribe(handler);
    await used.server.clock.advance(SECOND);
    used.server.publish(ROOM, 1);
    used.server.emit({ type: 'note' });
    await used.server.clock.advance(SECOND);
    used.server.lose(ROOM);
    await used.server.clock.advance(SECOND);
    expect(new Set(used.codes())).toEqual(new Set(['HANDLER_FAILED']));
    expect(used.errors.every(({ cause }) => (cause as Error).message === 'mine')).toBe(true);
    expect(second).toEqual([1]);
    expect(used.channel.getSnapshot().state).toBe('live');
    await new Promise((turn) => setImmediate(turn));
    expect(unhandled).toEqual([]);
  });

  it.each(['connecting', 'open', 'waiting'] as const)(
    'a listener that closes the client when it is %s leaves no timer',
    async (state) => {
      const used = start();
      used.client.subscribe(() => {
        if (used.client.getSnapshot().state === state) used.client.close();
      });
      await used.server.clock.advance(SECOND);
      used.server.closeAll(1006);
      await used.server.clock.advance(SECOND);
      expect(used.client.getSnapshot().state).toBe('closed');
      expect(used.server.clock.pending).toBe(0);
      expect(used.codes()).toEqual([]);
    },
  );
});
