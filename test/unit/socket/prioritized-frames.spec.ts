import { setImmediate as endOfTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Priority } from '../../../config/namespaces.js';
import { OutboundQueue } from '../../../src/socket/outbound-queue.js';
import { PORTION_BYTES, PrioritizedFrames, PriorityCounts } from '../../../src/socket/prioritized-frames.js';
import type { Shedding } from '../../../src/socket/held-frames.js';
import { eventually } from '../../support/eventually.js';
import { outboundParts } from './outbound-parts.js';
import { ScriptedSocket } from './scripted-socket.js';

const PRIORITY: Readonly<Record<string, Priority>> = { h: 'high', n: 'normal', l: 'low' };

/** `h:x` is a frame of a namespace with a high priority; `reply` has no priority. */
function sheddingOf(text: string, policy: Shedding['policy'] = 'drop_oldest'): Shedding | undefined {
  const [key = ''] = text.split(':');
  const priority = PRIORITY[key];
  return priority && { policy, key, priority };
}

function holding(texts: readonly string[], policy?: Shedding['policy']) {
  const counts = new PriorityCounts();
  const held = new PrioritizedFrames(counts);
  for (const text of texts) held.add(Buffer.from(text), sheddingOf(text, policy));
  return { held, counts };
}

const textsIn = (held: PrioritizedFrames): string[] => held.take().map(({ bytes }) => bytes.toString());

describe('frames that wait, where namespaces have priorities', () => {
  it('leave high before normal before low, each in its order', () => {
    const { held } = holding(['l:1', 'n:1', 'h:1', 'l:2', 'h:2', 'n:2']);
    expect(textsIn(held)).toEqual(['h:1', 'h:2', 'n:1', 'n:2', 'l:1', 'l:2']);
  });

  it('change places only between frames without a priority, which nothing overtakes', () => {
    const { held } = holding(['l:1', 'h:1', 'reply', 'n:1', 'h:2', 'gap', 'h:3']);
    expect(textsIn(held)).toEqual(['h:1', 'l:1', 'reply', 'h:2', 'n:1', 'gap', 'h:3']);
  });

  it('leave in portions, and what comes meanwhile and is more important goes first', () => {
    const { held } = holding([]);
    const big = (text: string): void => held.add(Buffer.alloc(PORTION_BYTES / 2, text), sheddingOf(text));
    for (const text of ['l:1', 'l:2', 'l:3', 'l:4']) big(text);
    const first = held.take();
    expect(first).toHaveLength(2);
    big('h:1');
    expect(held.take().map(({ shedding }) => shedding?.priority)).toEqual(['high', 'low']);
    expect([held.length, held.bytes]).toEqual([1, PORTION_BYTES / 2]);
  });

  it('are dropped low first, then normal, then high', () => {
    const { held, counts } = holding(['h:1', 'n:1', 'l:1', 'reply', 'l:2', 'n:2']);
    for (let n = 0; n < 3; n += 1) expect(held.dropOldest(undefined)).toBe(1);
    expect(textsIn(held)).toEqual(['h:1', 'reply', 'n:2']);
    expect(counts.dropped).toEqual({ high: 0, normal: 1, low: 2 });
    expect(counts.held).toEqual({ high: 1, normal: 2, low: 2 });
  });

  it('make no room for a frame of a lower priority that may be dropped itself', () => {
    const { held, counts } = holding(['h:1', 'n:1']);
    const low = sheddingOf('l:1') as Shedding;
    expect(held.dropOldest(low)).toBe(0);
    held.refuse(low);
    expect(counts.dropped).toEqual({ high: 0, normal: 0, low: 1 });
    // One that must be kept needs the room more.
    expect(held.dropOldest({ ...low, policy: 'disconnect' })).toBe(1);
    expect(textsIn(held)).toEqual(['h:1']);
  });

  it('are all there, keep the order of each channel, and are counted right, whatever happens', () => {
    const step = fc.constantFrom('h:', 'n:', 'l:', 'reply', 'take', 'drop');
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { held } = holding([]);
        const left: string[] = [];
        let [added, dropped] = [0, 0];
        for (const [at, act] of steps.entries()) {
          if (act === 'take') left.push(...textsIn(held));
          else if (act === 'drop') dropped += held.dropOldest(undefined);
          else {
            held.add(Buffer.from(`${act}${at}`), sheddingOf(act));
            added += 1;
          }
        }
        while (held.length > 0) left.push(...textsIn(held));
        expect([left.length + dropped, held.bytes]).toEqual([added, 0]);
        const place = (text: string): number => Number(/\d+$/.exec(text)?.[0]);
        for (const kind of ['h:', 'n:', 'l:']) {
          // Its own frames and those without a priority, which may be about its channel.
          const own = left.filter((text) => text.startsWith(kind) || text.startsWith('reply')).map(place);
          expect(own).toEqual(own.toSorted((one, other) => one - other));
        }
      }),
    );
  });
});

describe('a queue to a slow reader, where namespaces have priorities', () => {
  function blockedQueue() {
    const socket = new ScriptedSocket();
    socket.stopReading();
    const counts = new PriorityCounts();
    const shared = outboundParts({ limitBytes: 1_000_000, newHeldFrames: () => new PrioritizedFrames(counts) });
    const queue = new OutboundQueue(socket, shared, { overflowed: () => {}, shed: () => {} });
    queue.enqueue(Buffer.alloc(16_384, '.'));
    const send = (text: string, bytes = 1_000): boolean =>
      queue.enqueue(Buffer.from(text.padEnd(bytes, ' ')), sheddingOf(text));
    return { socket, queue, send, shared };
  }
  const order = ({ writes }: ScriptedSocket): string[] =>
    Buffer.concat(writes)
      .toString()
      .match(/[hnl]:\d+/g) ?? [];

  it('keeps the newest of a low channel in the place of the one before, although high frames fill it', async () => {
    const { socket, queue, shared } = blockedQueue();
    await endOfTurn();
    const put = (text: string, bytes: number, policy: Shedding['policy']): boolean =>
      queue.enqueue(Buffer.from(text.padEnd(bytes, ' ')), sheddingOf(text, policy));
    put('l:1', 1_000, 'latest');
    put('h:1', shared.limitBytes - 20_000, 'disconnect');
    put('h:2', 30_000, 'disconnect');
    expect(queue.waitingBytes).toBeGreaterThan(shared.limitBytes);
    put('l:2', 1_001, 'latest');
    put('l:3', 1_000, 'latest');
    socket.readOn();
    await eventually('all is read', () => queue.waitingBytes === 0);
    expect(order(socket)).toEqual(['h:1', 'h:2', 'l:3']);
  });

  it('sends what is more important before what waits, portion by portion, and everything in the end', async () => {
    const { socket, queue, send, shared } = blockedQueue();
    await endOfTurn();
    for (let n = 0; n < 200; n += 1) send(`l:${n}`);
    socket.takeOne();
    // A portion is in the socket. What comes now overtakes the rest.
    send('h:0');
    socket.readOn();
    for (let n = 0; n < 10 && queue.waitingBytes > 0; n += 1) await endOfTurn();
    const sent = order(socket);
    expect(sent).toHaveLength(201);
    expect(sent.indexOf('h:0')).toBeGreaterThan(0);
    expect(sent.indexOf('h:0')).toBeLessThan(150);
    expect(sent.filter((text) => text !== 'h:0')).toEqual(Array.from({ length: 200 }, (_, n) => `l:${n}`));
    expect([queue.waitingBytes, queue.waitingFrames, shared.budget.waiting]).toEqual([0, 0, 0]);
  });

  it('writes everything before a close', async () => {
    const { socket, queue, send } = blockedQueue();
    await endOfTurn();
    for (let n = 0; n < 200; n += 1) send(`l:${n}`);
    send('h:0');
    queue.end();
    socket.readOn();
    await endOfTurn();
    expect(order(socket)).toEqual(['h:0', ...Array.from({ length: 200 }, (_, n) => `l:${n}`)]);
  });

  it('goes on with a portion that is smaller than the mark of its socket', async () => {
    const socket = new ScriptedSocket(1_000_000);
    const shared = outboundParts({
      limitBytes: 4_000_000,
      newHeldFrames: () => new PrioritizedFrames(new PriorityCounts()),
    });
    const queue = new OutboundQueue(socket, shared, { overflowed: () => {}, shed: () => {} });
    socket.stopReading();
    queue.enqueue(Buffer.alloc(1_000_000, '.'));
    await endOfTurn();
    for (let n = 0; n < 300; n += 1) queue.enqueue(Buffer.from(`l:${n}`.padEnd(1_000, ' ')), sheddingOf('l:'));
    socket.readOn();
    for (let n = 0; n < 10 && queue.waitingBytes > 0; n += 1) await endOfTurn();
    expect(order(socket)).toHaveLength(300);
  });
});
