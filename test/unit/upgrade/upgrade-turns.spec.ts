import { setImmediate as nextTurn } from 'node:timers/promises';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { UpgradeTurns } from '../../../src/upgrade/pending/upgrade-turns.js';

const A_TURN = 64;

describe('upgrades that come at once', () => {
  it('begin in their order, 64 in each turn of the event loop', async () => {
    const turns = new UpgradeTurns();
    const begun: number[] = [];
    for (let number = 0; number < 3 * A_TURN; number += 1) turns.take(new PassThrough(), () => begun.push(number));
    const counts = [begun.length];
    for (let turn = 0; turn < 2; turn += 1) {
      await nextTurn();
      counts.push(begun.length);
    }
    expect(counts).toEqual([A_TURN, 2 * A_TURN, 3 * A_TURN]);
    expect(begun).toEqual(Array.from({ length: 3 * A_TURN }, (_, number) => number));
  });

  it('begin at once again when the others have begun', async () => {
    const turns = new UpgradeTurns();
    for (let number = 0; number < 2 * A_TURN; number += 1) turns.take(new PassThrough(), () => {});
    for (let turn = 0; turn < 4; turn += 1) await nextTurn();
    let begun = false;
    turns.take(new PassThrough(), () => (begun = true));
    expect(begun).toBe(true);
  });

  it('do not end the process where a socket fails meanwhile, and leave no listener behind', async () => {
    const turns = new UpgradeTurns();
    const socket = new PassThrough();
    for (let number = 0; number < A_TURN; number += 1) turns.take(new PassThrough(), () => {});
    const begun = new Promise<void>((resolve) => turns.take(socket, resolve));
    socket.emit('error', new Error('hung up'));
    await begun;
    expect(socket.listenerCount('error')).toBe(0);
  });
});
