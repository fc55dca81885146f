import { describe, expect, it } from 'vitest';
import { createClient } from '../src/index.js';
import { openState, type ChannelStateOptions, type StateArea } from '../src/state.js';
import { Refusal, TestServer } from '../src/testing.js';

const SECOND = 1_000;
const CHANNEL = 'fleet:oslo';
const HERE: StateArea = [0, 0, 1, 1];
const THERE: StateArea = [25, 25, 26, 26];
const WORLD: StateArea = [-90, -180, 90, 180];
const GRID = { cell: 10, maxCells: 4, wrap: 0 };

/** Follows the state of a channel whose server answers as the test says. */
function follow(options: ChannelStateOptions = {}) {
  const server = new TestServer({ latencyMs: 0 });
  server.handle('subscribe', () => ({ channel: CHANNEL, recovered: false, publications: [] }));
  const codes: string[] = [];
  const client = createClient({ url: 'ws://test/ws', ...server.environment });
  const open = () => openState(client, CHANNEL, { onError: ({ code }) => void codes.push(code), ...options });
  const asked = (type: string): unknown[] =>
    server.requests.filter((request) => request.type === type).map(({ data }) => data);
  return { server, client, open, codes, asked };
}

/** Answers `area` with one cell without values. */
function takeBoxes(server: TestServer, isTaken: (box: StateArea) => boolean): void {
  server.handle('area', (data) => {
    const { box } = data as { readonly box: StateArea };
    if (!isTaken(box)) throw new Refusal('AREA_TOO_LARGE');
    return { channel: CHANNEL, entered: ['0:0'], left: [], cells: [part(1, {})], grid: GRID };
  });
}

function part(seq: number, state: Readonly<Record<string, unknown>>, epoch = 'e') {
  const versions = Object.fromEntries(Object.keys(state).map((key) => [key, seq]));
  return { cell: '0:0', epoch, seq, state, versions };
}

/** The server has lost changes, and sends the values again while the client reads their parts. */
describe('values that are sent again while their parts are read', () => {
  it.each([undefined, true])('are read again, and nothing is missing: a cell of an area, more: %s', async (more) => {
    const { server, open } = follow({ area: HERE });
    server.handle('area', () =>
      server.requests.filter(({ type }) => type === 'area').length === 1
        ? { entered: ['0:0'], left: [], cells: [part(1, { a: 1 })], more: true, grid: GRID }
        : { entered: [], left: [], cells: [], grid: GRID },
    );
    const parts = [
      () => {
        sendAgain(server, { cell: '0:0', state: { a: 2 }, versions: { a: 5 }, more: true }, 5);
        publish(server, { cell: '0:0', set: { c: { y: 1 } } }, 6);
        // Was read before, and is answered after it.
        return { cells: [part(1, { b: 1, gone: 1 })], more };
      },
      () => ({ cells: [part(5, { b: 2 })], more: true }),
      () => ({ cells: [part(5, { c: { x: 1 } })] }),
    ];
    server.handle('area.next', () => parts.shift()?.());
    const state = open();
    await server.clock.advance(SECOND);
    expect(Object.fromEntries(state.values)).toEqual({ a: 2, b: 2, c: { x: 1, y: 1 } });
    expect([state.getSnapshot().state, state.versionOf('a'), parts]).toEqual(['live', 5, []]);
  });

  it('are read again, and nothing is missing: the state of a whole channel', async () => {
    const { server, open } = follow();
    server.handle('subscribe', () => ({ epoch: 'e', seq: 1, state: { a: 1 }, versions: { a: 1 }, more: true }));
    const parts = [
      () => {
        publish(server, { set: { a: { old: 1 } } }, 2);
        sendAgain(server, { state: { a: 2 }, versions: { a: 5 }, more: true }, 5, 'f');
        // Ends what was read before.
        return part(5, { b: 2 }, 'f');
      },
      () => part(5, { c: 2 }, 'f'),
    ];
    server.handle('state.next', () => parts.shift()?.());
    const state = open();
    await server.clock.advance(SECOND);
    expect(Object.fromEntries(state.values)).toEqual({ a: 2, b: 2, c: 2 });
    expect([state.getSnapshot().state, parts]).toEqual(['live', []]);
  });
});

describe('a box that the server refuses', () => {
  it('is forgotten: after a lost connection the client looks at the last one that was taken', async () => {
    const { server, open, codes, asked } = follow({ area: HERE });
    takeBoxes(server, (box) => box[0] > -80);
    const state = open();
    await server.clock.advance(SECOND);
    state.look(WORLD);
    await server.clock.advance(SECOND);
    expect([codes, state.getSnapshot().state]).toEqual([['AREA_TOO_LARGE'], 'live']);
    const before = asked('area').length;
    server.closeAll(1006);
    await server.clock.advance(5 * SECOND);
    expect([codes, state.getSnapshot().state]).toEqual([['AREA_TOO_LARGE'], 'live']);
    expect(asked('area').slice(before)).toMatchObject([{ box: HERE }, {}]);
  });

  it('gives way to one that was asked for meanwhile', async () => {
    const { server, open, codes, asked } = follow({ area: HERE });
    takeBoxes(server, (box) => box[0] > -80);
    const state = open();
    await server.clock.advance(SECOND);
    takeBoxes(server, (box) => {
      if (box[0] === WORLD[0]) state.look(THERE);
      return box[0] > -80;
    });
    state.look(WORLD);
    await server.clock.advance(SECOND);
    expect([codes, asked('area').at(-1)]).toEqual([['AREA_TOO_LARGE'], { channel: CHANNEL, box: THERE }]);
  });

  it('is told by the state if it is the first one, and another one makes it live', async () => {
    const { server, open, codes } = follow({ area: WORLD });
    takeBoxes(server, (box) => box[0] > -80);
    const state = open();
    await server.clock.advance(SECOND);
    expect(state.getSnapshot()).toMatchObject({ state: 'refused', error: { code: 'AREA_TOO_LARGE' } });
    server.closeAll(1006);
    await server.clock.advance(5 * SECOND);
    expect([codes, state.getSnapshot().state]).toEqual([['AREA_TOO_LARGE', 'AREA_TOO_LARGE'], 'refused']);
    state.look(HERE);
    await server.clock.advance(SECOND);
    expect(state.getSnapshot()).toMatchObject({ state: 'live', error: undefined });
  });

  it('is asked for once, although it was taken by the server before', async () => {
    const { server, open, codes, asked } = follow({ area: HERE });
    let isTaken = true;
    takeBoxes(server, () => isTaken);
    const state = open();
    await server.clock.advance(SECOND);
    isTaken = false;
    const before = asked('area').length;
    server.closeAll(1006);
    await server.clock.advance(5 * SECOND);
    expect([codes, state.getSnapshot().state]).toEqual([['AREA_TOO_LARGE'], 'refused']);
    expect(asked('area')).toHaveLength(before + 1);
  });
});

describe('a channel without the values of a state', () => {
  it('is refused with NO_STATE, left, and not asked again', async () => {
    const { server, open, codes, asked } = follow();
    const state = open();
    await server.clock.advance(60 * SECOND);
    expect([codes, state.getSnapshot()]).toMatchObject([
      ['NO_STATE'],
      { state: 'refused', error: { code: 'NO_STATE' } },
    ]);
    expect([asked('subscribe').length, asked('unsubscribe')]).toEqual([1, [{ channel: CHANNEL }]]);
  });
});

describe('the state of a channel', () => {
  const FIRST = { epoch: 'e', seq: 1, recovered: false, state: { a: 1 }, versions: { a: 1 } };

  async function live(): Promise<ReturnType<typeof follow> & { state: ReturnType<ReturnType<typeof follow>['open']> }> {
    const scene = follow();
    scene.server.handle('subscribe', () => FIRST);
    const state = scene.open();
    await scene.server.clock.advance(SECOND);
    expect(state.getSnapshot().state).toBe('live');
    return { ...scene, state };
  }

  it('is asked for until the server is not busy any more', async () => {
    const { server, open, codes } = follow();
    server.handle('subscribe', () => {
      throw new Refusal('SERVER_BUSY');
    });
    const state = open();
    await server.clock.advance(60 * SECOND);
    expect([new Set(codes), state.getSnapshot().state]).toEqual([new Set(['SERVER_BUSY']), 'loading']);
    server.handle('subscribe', () => FIRST);
    await server.clock.advance(30 * SECOND);
    expect([Object.fromEntries(state.values), state.getSnapshot().state]).toEqual([{ a: 1 }, 'live']);
  });

  it('is not asked for any more, and leaves no timer, when it is closed while it waits to ask again', async () => {
    const { server, client, open, codes, asked } = follow();
    server.handle('subscribe', () => 7);
    const state = open();
    while (codes.length === 0) await server.clock.advance(1);
    state.close();
    client.close();
    await server.clock.advance(1);
    expect(server.clock.pending).toBe(0);
    await server.clock.advance(60 * SECOND);
    expect(asked('subscribe')).toHaveLength(1);
  });

  it.each([
    ['has no position', { recovered: false, state: { a: 7 }, versions: { a: 7 } }],
    ['is no object', 7],
  ])('is asked for again, with BAD_MESSAGE, if a reply %s', async (_what, bad) => {
    const { server, open, codes } = follow();
    const replies = [bad, FIRST];
    server.handle('subscribe', () => replies.shift());
    const state = open();
    await server.clock.advance(5 * SECOND);
    expect(codes).toEqual(['BAD_MESSAGE']);
    expect([Object.fromEntries(state.values), state.getSnapshot().state]).toEqual([{ a: 1 }, 'live']);
  });

  it('goes on with the changes that it missed while the connection was lost', async () => {
    const { server, state, asked } = await live();
    const publications = [{ seq: 2, data: { set: { b: 2 } } }];
    server.handle('subscribe', () => ({ epoch: 'e', seq: 2, recovered: true, publications }));
    server.closeAll(1006);
    await server.clock.advance(10 * SECOND);
    expect(asked('subscribe').at(-1)).toMatchObject({ since: { epoch: 'e', seq: 1 } });
    expect([Object.fromEntries(state.values), state.getSnapshot().state]).toEqual([{ a: 1, b: 2 }, 'live']);
  });

  it('is read again in parts if the server sends it again, and not live before the last one', async () => {
    const { server, state } = await live();
    server.handle('state.next', () => part(5, { b: 2 }));
    sendAgain(server, { state: { a: 2 }, versions: { a: 5 }, more: true }, 5);
    const seen: string[] = [];
    state.subscribe(() => seen.push(state.getSnapshot().state));
    await server.clock.advance(SECOND);
    expect(seen).toContain('loading');
    expect([Object.fromEntries(state.values), seen.at(-1)]).toEqual([{ a: 2, b: 2 }, 'live']);
  });

  it('is subscribed again if a part of what is sent again cannot be read', async () => {
    const { server, state, codes, asked } = await live();
    server.handle('state.next', () => 7);
    sendAgain(server, { state: { a: 2 }, versions: { a: 5 }, more: true }, 5);
    await server.clock.advance(5 * SECOND);
    expect([codes, asked('subscribe').length, state.getSnapshot().state]).toEqual([['BAD_MESSAGE'], 2, 'live']);
  });

  it('is refused when the right to the channel is gone, and not when only that to its presence is', async () => {
    const { server, state, codes } = await live();
    const lose = (lost: string) =>
      server.emit({ type: 'unsubscribed', channel: CHANNEL, data: { lost, code: 'FORBIDDEN' } } as { type: string });
    lose('presence');
    await server.clock.advance(SECOND);
    expect(state.getSnapshot().state).toBe('live');
    lose('channel');
    await server.clock.advance(SECOND);
    expect([codes, state.getSnapshot()]).toMatchObject([
      ['FORBIDDEN'],
      { state: 'refused', error: { code: 'FORBIDDEN' } },
    ]);
  });

  it('ignores a change without a position', async () => {
    const { server, state } = await live();
    server.emit({ type: 'message', channel: CHANNEL, data: { set: { b: 2 } } } as { readonly type: string });
    await server.clock.advance(SECOND);
    expect(Object.fromEntries(state.values)).toEqual({ a: 1 });
  });
});

function sendAgain(server: TestServer, data: object, seq: number, epoch = 'e'): void {
  server.emit({ type: 'state', channel: CHANNEL, epoch, seq, data } as { readonly type: string });
}

function publish(server: TestServer, data: object, seq: number, epoch = 'e'): void {
  server.emit({ type: 'message', channel: CHANNEL, epoch, seq, data } as { readonly type: string });
}
