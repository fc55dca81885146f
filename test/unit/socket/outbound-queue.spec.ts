import { setImmediate as endOfTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { JOIN_LIMIT_BYTES } from '../../../src/socket/flush-turn.js';
import { OutboundBudget, type OverflowReason } from '../../../src/socket/outbound-budget.js';
import type { ShedReason } from '../../../src/socket/outbound-observer.js';
import type { OutboundContext } from '../../../src/socket/outbound-context.js';
import { OutboundQueue } from '../../../src/socket/outbound-queue.js';
import { outboundParts } from './outbound-parts.js';
import { ScriptedSocket } from './scripted-socket.js';

interface Overflow {
  readonly reason: OverflowReason;
  readonly dropped: number;
}

function context({ limitBytes = 1_000, budgetBytes = 0 } = {}): OutboundContext {
  return outboundParts({ budget: new OutboundBudget(budgetBytes), limitBytes });
}

interface Observed {
  readonly queue: OutboundQueue;
  readonly overflows: Overflow[];
  /** Why frames were dropped although the connection went on. */
  readonly sheds: ShedReason[];
}

function queueTo(socket: ScriptedSocket, shared = context()): Observed {
  const overflows: Overflow[] = [];
  const sheds: ShedReason[] = [];
  const queue = new OutboundQueue(socket, shared, {
    overflowed: (reason, dropped) => overflows.push({ reason, dropped }),
    shed: (reason) => sheds.push(reason),
  });
  return { queue, overflows, sheds };
}

const bytes = (text: string): Buffer => Buffer.from(text);

/** A queue whose socket is full: 16 KiB wait in the stream, which is its high-water mark. */
async function blockedQueue(shared = context({ limitBytes: 17_000 })) {
  const socket = new ScriptedSocket();
  socket.stopReading();
  const made = queueTo(socket, shared);
  made.queue.enqueue(Buffer.alloc(16_384, '.'));
  await endOfTurn();
  expect(socket.writableNeedDrain).toBe(true);
  return { socket, shared, ...made };
}

describe('the frames of one turn', () => {
  it('leave in one write, in their order', async () => {
    const socket = new ScriptedSocket();
    const { queue } = queueTo(socket);
    for (const text of ['one ', 'two ', 'three']) queue.enqueue(bytes(text));
    expect(socket.writes).toEqual([]);
    await endOfTurn();
    expect(socket.writes).toEqual([bytes('one two three')]);
  });

  it('leave in a write of their own, each turn', async () => {
    const socket = new ScriptedSocket();
    const { queue } = queueTo(socket);
    queue.enqueue(bytes('first'));
    await endOfTurn();
    queue.enqueue(bytes('second'));
    await endOfTurn();
    expect(socket.writes.map(String)).toEqual(['first', 'second']);
  });

  it('are joined once for all sockets that send the same', async () => {
    const shared = context();
    const sockets = [new ScriptedSocket(), new ScriptedSocket(), new ScriptedSocket()] as const;
    const [first, second, other] = sockets.map((socket) => queueTo(socket, shared).queue) as [
      OutboundQueue,
      OutboundQueue,
      OutboundQueue,
    ];
    const [hello, world] = [bytes('hello '), bytes('world')];
    for (const queue of [first, second]) [hello, world].forEach((frame) => queue.enqueue(frame));
    // The same bytes in other frames, and in another order, are not the same.
    [world, hello].forEach((frame) => other.enqueue(frame));
    await endOfTurn();
    expect(sockets[1].chunks[0]).toBe(sockets[0].chunks[0]);
    expect(sockets.map(({ text }) => text)).toEqual(['hello world', 'hello world', 'worldhello ']);
  });

  it('are never joined with those of the turn before', async () => {
    const shared = context();
    const sockets = [new ScriptedSocket(), new ScriptedSocket()] as const;
    const frames = [bytes('a'), bytes('b')];
    for (const socket of sockets) {
      const { queue } = queueTo(socket, shared);
      frames.forEach((frame) => queue.enqueue(frame));
      await endOfTurn();
    }
    expect(sockets[1].chunks[0]).not.toBe(sockets[0].chunks[0]);
  });

  it('go out early when they are many, so that a burst does not wait for its end', () => {
    const socket = new ScriptedSocket(1_000_000);
    const { queue } = queueTo(socket);
    queue.enqueue(Buffer.alloc(JOIN_LIMIT_BYTES - 1));
    expect(socket.writes).toHaveLength(0);
    queue.enqueue(bytes('x'));
    expect(socket.writes.map(({ length }) => length)).toEqual([JOIN_LIMIT_BYTES]);
  });

  it('are not copied when they are large', async () => {
    const socket = new ScriptedSocket(1_000_000);
    const { queue } = queueTo(socket);
    const frames = [Buffer.alloc(60_000, 'a'), Buffer.alloc(60_000, 'b')];
    frames.forEach((frame) => queue.enqueue(frame));
    await endOfTurn();
    expect(socket.chunks[0]).toBe(frames[0]);
    expect(socket.chunks[1]).toBe(frames[1]);
  });

  it('are counted as sent', async () => {
    const shared = context();
    const { queue } = queueTo(new ScriptedSocket(), shared);
    queue.enqueue(bytes('12345'));
    queue.enqueue(bytes('678'));
    await endOfTurn();
    expect(shared.turn.bytesSent).toBe(8);
  });
});

describe('the frames for a slow reader', () => {
  it('wait here while the socket is full, and follow in order when it drains', async () => {
    const { socket, queue, overflows } = await blockedQueue();
    for (const text of ['one ', 'two ', 'three']) expect(queue.enqueue(bytes(text))).toBe(true);
    await endOfTurn();
    expect(socket.writes).toHaveLength(1);
    expect(queue.waitingBytes).toBe(16_384 + 13);

    socket.readOn();
    await endOfTurn();
    expect(socket.writes.slice(1)).toEqual([bytes('one two three')]);
    expect(queue.waitingBytes).toBe(0);
    expect(overflows).toEqual([]);
  });

  it('flow again afterwards', async () => {
    const { socket, queue } = await blockedQueue();
    socket.readOn();
    await endOfTurn();
    queue.enqueue(bytes('later'));
    await endOfTurn();
    expect(socket.writes.at(-1)?.toString()).toBe('later');
  });

  it('may pass the limit by one, and end the queue with the next', async () => {
    const { queue, overflows, socket } = await blockedQueue();
    expect(queue.enqueue(Buffer.alloc(5_000))).toBe(true);
    expect(overflows).toEqual([]);
    expect(queue.enqueue(bytes('x'))).toBe(false);
    expect(overflows).toEqual([{ reason: 'slow_consumer', dropped: 2 }]);

    expect(queue.enqueue(bytes('y'))).toBe(false);
    socket.readOn();
    await endOfTurn();
    expect(socket.writes).toHaveLength(1);
    expect(overflows).toHaveLength(1);
  });
});

describe('a reader in the middle of one message larger than the bound', () => {
  /** 20,000 bytes wait in the socket, where 17,000 may. */
  async function draining() {
    const socket = new ScriptedSocket();
    socket.stopReading();
    const made = queueTo(socket, context({ limitBytes: 17_000 }));
    made.queue.enqueue(Buffer.alloc(20_000, '.'));
    await endOfTurn();
    return { socket, ...made };
  }

  it('is not cut off for pings and pongs, of which the newest leave first', async () => {
    const { socket, queue, overflows } = await draining();
    queue.enqueue(bytes('data'));
    for (let n = 0; n < 1_000; n += 1) {
      queue.enqueueControl('ping', bytes('<ping>'));
      queue.enqueueControl('pong', bytes(`<pong ${n}>`));
    }
    expect(queue.waitingBytes).toBe(20_004);
    socket.readOn();
    await endOfTurn();
    expect(socket.text.slice(20_000)).toBe('<ping><pong 999>data');
    expect(overflows).toEqual([]);
  });

  it('is not cut off for what fits into the bound beside it, but for more', async () => {
    const { queue, overflows } = await draining();
    expect(queue.enqueue(Buffer.alloc(16_999))).toBe(true);
    expect(queue.enqueue(Buffer.alloc(10))).toBe(true);
    expect(overflows).toEqual([]);
    expect(queue.enqueue(bytes('x'))).toBe(false);
    expect(overflows).toEqual([{ reason: 'slow_consumer', dropped: 3 }]);
  });

  it('has the bound to itself again once it has read it', async () => {
    const { socket, queue, overflows } = await draining();
    socket.readOn();
    await endOfTurn();
    socket.stopReading();
    queue.enqueue(Buffer.alloc(16_500));
    await endOfTurn();
    expect(queue.enqueue(Buffer.alloc(1_000))).toBe(true);
    expect(queue.enqueue(bytes('x'))).toBe(false);
    expect(overflows).toHaveLength(1);
  });

  it('is no exception for two such messages', async () => {
    const { queue } = await draining();
    expect(queue.enqueue(Buffer.alloc(20_000))).toBe(true);
    expect(queue.enqueue(bytes('x'))).toBe(false);
  });
});

describe('pings and pongs', () => {
  it('leave in their order while the reader keeps up', async () => {
    const socket = new ScriptedSocket();
    const { queue } = queueTo(socket);
    queue.enqueue(bytes('one '));
    queue.enqueueControl('pong', bytes('pong '));
    queue.enqueue(bytes('two'));
    await endOfTurn();
    expect(socket.text).toBe('one pong two');
  });

  it('never end the queue of a slow reader', async () => {
    const { queue, overflows } = await blockedQueue(context({ limitBytes: 16_384 }));
    queue.enqueueControl('ping', bytes('<ping>'));
    queue.enqueueControl('pong', bytes('<pong>'));
    expect(overflows).toEqual([]);
    expect(queue.hasEnded).toBe(false);
  });
});

describe('the budget of a node', () => {
  it('holds what waits for slow readers, and nothing once they have read', async () => {
    const { socket, shared, queue } = await blockedQueue();
    queue.enqueue(bytes('12345'));
    expect([shared.budget.waiting, shared.budget.blockedQueues]).toEqual([16_389, 1]);
    socket.readOn();
    await endOfTurn();
    expect([shared.budget.waiting, shared.budget.blockedQueues]).toEqual([0, 0]);
  });

  it('closes the fullest queue, whoever breaks it', async () => {
    const shared = context({ limitBytes: 100_000, budgetBytes: 40_000 });
    const fullest = await blockedQueue(shared);
    const other = await blockedQueue(shared);
    fullest.queue.enqueue(Buffer.alloc(6_000));
    expect([fullest.overflows, other.overflows]).toEqual([[], []]);

    expect(other.queue.enqueue(Buffer.alloc(2_000))).toBe(true);
    expect(fullest.overflows).toEqual([{ reason: 'node_budget', dropped: 1 }]);
    expect(other.overflows).toEqual([]);
    // What the socket of the one that goes holds is not gone yet.
    expect([shared.budget.waiting, shared.budget.blockedQueues]).toEqual([34_768, 2]);
  });

  it('refuses the frame whose own queue is the fullest', async () => {
    const shared = context({ limitBytes: 100_000, budgetBytes: 20_000 });
    const { queue, overflows } = await blockedQueue(shared);
    expect(queue.enqueue(Buffer.alloc(5_000))).toBe(false);
    expect(overflows).toEqual([{ reason: 'node_budget', dropped: 1 }]);
    expect(shared.budget.waiting).toBe(16_384);
  });

  it('destroys what is cut off and does not read, where others need the room', async () => {
    const shared = context({ limitBytes: 100_000, budgetBytes: 40_000 });
    const gone = await blockedQueue(shared);
    gone.queue.overflow('slow_consumer');
    const other = await blockedQueue(shared);
    expect(gone.socket.destroyed).toBe(false);
    expect(other.queue.enqueue(Buffer.alloc(10_000))).toBe(true);
    expect([gone.socket.destroyed, other.socket.destroyed]).toEqual([true, false]);
    expect([gone.overflows.length, other.overflows.length]).toEqual([1, 0]);
    expect(shared.budget.waiting).toBe(26_384);
  });

  it.each(['discard', 'end', 'overflow'] as const)('is returned by %s, once the socket is gone', async (how) => {
    const { queue, shared, socket } = await blockedQueue();
    queue.enqueue(bytes('12345'));
    if (how === 'overflow') queue.overflow('slow_consumer');
    else queue[how]();
    expect(shared.budget.waiting).toBe(how === 'end' ? 16_389 : 16_384);
    socket.destroy();
    queue.discard();
    expect([shared.budget.waiting, shared.budget.blockedQueues, queue.heldBytes]).toEqual([0, 0, 0]);
  });
});

describe('the end of a queue', () => {
  it('hands everything to the socket first, so that a close frame comes behind it', () => {
    const socket = new ScriptedSocket();
    const { queue } = queueTo(socket);
    queue.enqueue(bytes('last words, '));
    queue.end();
    socket.write('close frame');
    expect(socket.text).toBe('last words, close frame');
  });

  it('does so for a slow reader too', async () => {
    const { queue, socket } = await blockedQueue();
    queue.enqueue(bytes('last words, '));
    queue.end();
    socket.write('close frame');
    socket.readOn();
    await endOfTurn();
    expect(socket.text.slice(16_384)).toBe('last words, close frame');
  });

  it('lets nothing follow', async () => {
    const socket = new ScriptedSocket();
    const { queue } = queueTo(socket);
    queue.enqueue(bytes('before'));
    queue.end();
    expect(queue.enqueue(bytes('after'))).toBe(false);
    queue.end();
    await endOfTurn();
    expect(socket.text).toBe('before');
  });

  it('drops what waits when it is discarded, and says how much', async () => {
    const socket = new ScriptedSocket();
    const { queue } = queueTo(socket);
    queue.enqueue(bytes('one'));
    queue.enqueue(bytes('two'));
    expect(queue.discard()).toBe(2);
    await endOfTurn();
    expect(socket.writes).toEqual([]);
    expect(queue.waitingBytes).toBe(0);
  });

  it('writes nothing to a socket that is gone', () => {
    const socket = new ScriptedSocket();
    const { queue } = queueTo(socket);
    queue.enqueue(bytes('too late'));
    socket.destroy();
    queue.end();
    expect(socket.writes).toEqual([]);
  });
});

describe('frames that may be dropped', () => {
  const latest = (key: string) => ({ policy: 'latest', key }) as const;
  const oldest = { policy: 'drop_oldest', key: 'log' } as const;

  it('are all written while the reader keeps up', async () => {
    const socket = new ScriptedSocket();
    const { queue, sheds } = queueTo(socket);
    queue.enqueue(bytes('1'), latest('t'));
    queue.enqueue(bytes('2'), latest('t'));
    await endOfTurn();
    expect(socket.writes).toEqual([bytes('12')]);
    expect(sheds).toEqual([]);
  });

  it('give way to a newer one with the same key while the reader is slow', async () => {
    const { queue, socket, sheds } = await blockedQueue();
    queue.enqueue(bytes('a1 '), latest('a'));
    queue.enqueue(bytes('b1 '), latest('b'));
    queue.enqueue(bytes('a2 '), latest('a'));
    socket.readOn();
    await endOfTurn();
    expect(socket.writes.slice(1).map(String).join('')).toBe('b1 a2 ');
    expect(sheds).toEqual(['latest']);
  });

  it('make room for others, the oldest first, and the reader is not cut off', async () => {
    const { queue, socket, sheds, overflows } = await blockedQueue(context({ limitBytes: 16_384 + 20 }));
    for (const text of ['oldest....', 'older.....']) queue.enqueue(bytes(text), oldest);
    queue.enqueue(bytes('new.......'), oldest);
    queue.enqueue(bytes('a reply'));
    socket.readOn();
    await endOfTurn();
    expect(socket.writes.slice(1).map(String).join('')).toBe('new.......a reply');
    expect(sheds).toEqual(['drop_oldest', 'drop_oldest']);
    expect(overflows).toEqual([]);
  });

  it('are dropped when they would come too late', async () => {
    const { queue, socket, sheds } = await blockedQueue();
    queue.enqueue(bytes('stale'), { ...oldest, expiresAt: Date.now() - 1 });
    queue.enqueue(bytes('fresh'), { ...oldest, expiresAt: Date.now() + 60_000 });
    socket.readOn();
    await endOfTurn();
    expect(socket.writes.slice(1).map(String).join('')).toBe('fresh');
    expect(sheds).toEqual(['expired']);
  });

  it('are dropped when they would come too late, also where the policy is to cut the reader off', async () => {
    const { queue, socket, sheds, overflows } = await blockedQueue(context({ limitBytes: 16_384 + 10 }));
    queue.enqueue(bytes('stale.....'), { policy: 'disconnect', key: 'k', expiresAt: Date.now() - 1 });
    expect(queue.enqueue(bytes('fresh'), { policy: 'disconnect', key: 'k' })).toBe(true);
    socket.readOn();
    await endOfTurn();
    expect(socket.writes.slice(1).map(String).join('')).toBe('fresh');
    expect([sheds, overflows]).toEqual([['expired'], []]);
  });

  it('give their bytes back to the budget, also where there is no room for the new one', async () => {
    const { queue, shared, sheds } = await blockedQueue(context({ limitBytes: 16_384 + 10 }));
    queue.enqueue(bytes('12345'), oldest);
    queue.enqueue(bytes('reply12345'));
    expect(queue.enqueue(bytes('6'), oldest)).toBe(true);
    expect(sheds).toEqual(['drop_oldest', 'drop_oldest']);
    expect(shared.budget.waiting).toBe(queue.waitingBytes);
  });

  it('take the place of an older one with the same key although the queue is full, and the others stay', async () => {
    const { queue, socket, sheds, overflows } = await blockedQueue(context({ limitBytes: 16_384 + 20 }));
    queue.enqueue(bytes('a1 '), latest('a'));
    queue.enqueue(bytes('b1 '), latest('b'));
    queue.enqueue(bytes('a reply of thirty characters '), undefined);
    queue.enqueue(bytes('b2 '), latest('b'));
    queue.enqueue(bytes('a2 '), latest('a'));
    expect(sheds).toEqual(['latest', 'latest']);
    socket.readOn();
    await endOfTurn();
    expect(socket.writes.slice(1).map(String).join('')).toBe('a reply of thirty characters b2 a2 ');
    expect(overflows).toEqual([]);
  });

  it('take the place of smaller ones, and the queue grows by one frame at most', async () => {
    const { queue, shared, sheds } = await blockedQueue();
    for (const key of ['a', 'b', 'c']) queue.enqueue(bytes(key), latest(key));
    queue.enqueue(Buffer.alloc(1_000, 'r'));
    for (const key of ['a', 'b', 'c', 'a']) queue.enqueue(Buffer.alloc(10_000, key), latest(key));
    expect(queue.waitingBytes).toBeLessThan(shared.limitBytes + 2 * 10_000);
    expect(sheds).toContain('drop_oldest');
  });

  it('do not spare a reader that leaves other frames waiting', async () => {
    const { queue, overflows } = await blockedQueue(context({ limitBytes: 16_384 + 5 }));
    queue.enqueue(bytes('a reply'));
    expect(queue.enqueue(bytes('another'))).toBe(false);
    expect(overflows).toEqual([{ reason: 'slow_consumer', dropped: 2 }]);
  });
});
