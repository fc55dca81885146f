import { setImmediate as endOfTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FlushTurn, JOIN_LIMIT_BYTES } from '../../../src/socket/flush-turn.js';
import type { Shedding } from '../../../src/socket/held-frames.js';
import type { DropReason, Receipt } from '../../../src/socket/receipt.js';
import { ReceiptedQueue } from '../../../src/socket/receipted-queue.js';
import { outboundParts } from './outbound-parts.js';
import { ScriptedSocket } from './scripted-socket.js';

const LIMIT = 17_000;

/** What came of the frames that were followed, in the order in which it came. */
class Log {
  readonly entries: string[] = [];

  of(name: string): Receipt {
    return {
      written: () => this.entries.push(`${name} written`),
      dropped: (reason: DropReason) => this.entries.push(`${name} ${reason}`),
    };
  }
}

interface Setup {
  readonly policy?: Shedding['policy'];
  readonly isReading?: boolean;
}

function setUp({ policy = 'disconnect', isReading = true }: Setup = {}) {
  const socket = new ScriptedSocket();
  if (!isReading) socket.stopReading();
  const turn = new FlushTurn();
  const queue = new ReceiptedQueue(socket, outboundParts({ turn, limitBytes: LIMIT }), {
    overflowed: () => {},
    shed: () => {},
  });
  const log = new Log();
  const send = (name: string, bytes = 1, expiresAt?: number): boolean =>
    queue.enqueue(Buffer.alloc(bytes, name), { policy, key: 'k', receipt: log.of(name), expiresAt });
  return { socket, queue, log, send };
}

/** The socket has 16 KiB, which is its mark, and takes no more. */
async function blocked(policy?: Shedding['policy']) {
  const made = setUp({ isReading: false, ...(policy && { policy }) });
  made.queue.enqueue(Buffer.alloc(16_384, '.'));
  await endOfTurn();
  return made;
}

describe('a frame that is followed', () => {
  it('is written when the system has taken it, not when it is queued', async () => {
    const { socket, log, send } = setUp({ isReading: false });
    send('a');
    send('b');
    await endOfTurn();
    await endOfTurn();
    expect(log.entries).toEqual([]);
    socket.readOn();
    await endOfTurn();
    expect(log.entries).toEqual(['a written', 'b written']);
  });

  it.each([1, 10_000, JOIN_LIMIT_BYTES])('is written also in a turn of many frames of %i bytes', async (bytes) => {
    const { log, send } = setUp();
    const names = 'abcdefgh'.split('');
    for (const name of names) send(name, bytes);
    await endOfTurn();
    await endOfTurn();
    expect(log.entries).toEqual(names.map((name) => `${name} written`));
  });

  it('is dropped with a socket that is destroyed before it has taken it', async () => {
    const { socket, queue, log, send } = setUp({ isReading: false });
    send('a');
    await endOfTurn();
    socket.destroy();
    queue.discard();
    send('b');
    socket.readOn();
    await endOfTurn();
    expect(log.entries.toSorted()).toEqual(['a closed', 'b closed']);
  });

  it('is dropped where the queue ends in the same turn without writing', () => {
    const { queue, log, send } = setUp();
    send('a');
    queue.discard();
    expect(log.entries).toEqual(['a closed']);
  });

  it('leaves before the close frame', async () => {
    const { queue, log, send } = setUp();
    send('a');
    queue.end();
    await endOfTurn();
    expect(log.entries).toEqual(['a written']);
  });

  it('is written once a slow reader has gone on, in order', async () => {
    const { socket, queue, log, send } = await blocked();
    send('a');
    queue.follow(log.of('all so far'));
    expect(log.entries).toEqual([]);
    socket.readOn();
    await expect.poll(() => log.entries).toEqual(['a written', 'all so far written']);
  });

  it('gives way to the newer one with its key, and is not written afterwards', async () => {
    const { socket, log, send } = await blocked('latest');
    send('a');
    send('b');
    socket.readOn();
    await expect.poll(() => log.entries).toEqual(['a latest', 'b written']);
  });

  it('gives way where there is no room, whether it waits or comes', async () => {
    const { log, send } = await blocked('drop_oldest');
    send('a', 700);
    send('b', 700);
    expect(log.entries).toEqual(['a drop_oldest']);
    const full = await blocked('drop_oldest');
    full.queue.enqueue(Buffer.alloc(700));
    full.send('c');
    expect(full.log.entries).toEqual(['c drop_oldest']);
  });

  it('expires while it waits', async () => {
    const { socket, log, send } = await blocked();
    send('a', 1, Date.now() - 1);
    socket.readOn();
    await expect.poll(() => log.entries).toEqual(['a expired']);
  });

  it('is dropped with a reader that is cut off, and so is the one that fills the queue', async () => {
    const { log, send } = await blocked();
    send('a', 700);
    expect(send('b', 700)).toBe(false);
    expect(log.entries).toEqual(['a slow_consumer', 'b slow_consumer']);
  });
});

describe('a receipt of all so far', () => {
  it('is given behind what is queued, and where nothing is', async () => {
    const { queue, log, send } = setUp();
    send('a');
    queue.follow(log.of('first'));
    await endOfTurn();
    queue.follow(log.of('second'));
    await endOfTurn();
    await endOfTurn();
    expect(log.entries).toEqual(['a written', 'first written', 'second written']);
  });

  it('never fills a queue', async () => {
    const { queue, log, send } = await blocked();
    send('a', 700);
    queue.follow(log.of('all'));
    expect(queue.hasEnded).toBe(false);
  });
});
