import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeldFrames, type Shedding } from '../../../src/socket/held-frames.js';

const bytes = (text: string): Buffer => Buffer.from(text);
const latest = (key: string): Shedding => ({ policy: 'latest', key });
const oldest: Shedding = { policy: 'drop_oldest', key: 'k' };
const kept = (expiresAt?: number): Shedding => ({ policy: 'disconnect', key: 'k', expiresAt });

function holding(...frames: [text: string, shedding?: Shedding][]): HeldFrames {
  const held = new HeldFrames();
  for (const [text, shedding] of frames) {
    if (shedding) held.dropReplacedBy(shedding);
    held.add(bytes(text), shedding);
  }
  return held;
}

const textOf = (held: HeldFrames): string =>
  held
    .take()
    .map(({ bytes: taken }) => taken)
    .join(' ');

describe('frames that wait for a slow reader', () => {
  it('are replaced by the newer one with their key, which goes to the end', () => {
    expect(textOf(holding(['a1', latest('a')], ['b1', latest('b')], ['reply'], ['a2', latest('a')]))).toBe(
      'b1 reply a2',
    );
  });

  it('are not replaced by those of another policy', () => {
    expect(textOf(holding(['1', latest('k')], ['2', oldest], ['3', kept()]))).toBe('1 2 3');
  });

  it('are dropped oldest first, and only those that may be', () => {
    const held = holding(['reply'], ['1', oldest], ['kept', kept()], ['2', latest('k')]);
    expect([held.dropOldest(), held.dropOldest(), held.dropOldest()]).toEqual([1, 1, 0]);
    expect(textOf(held)).toBe('reply kept');
  });

  it('are dropped when they have expired, whatever their policy', () => {
    const held = holding(['1', kept(100)], ['2', { ...oldest, expiresAt: 99 }], ['3', kept(101)], ['4', kept()]);
    expect(held.dropExpired(100)).toBe(2);
    expect(textOf(held)).toBe('3 4');
  });

  it('can be replaced again after the newest was dropped for want of room', () => {
    const held = holding(['a1', latest('a')]);
    held.dropOldest();
    expect(held.dropReplacedBy(latest('a'))).toBe(0);
    held.add(bytes('a2'), latest('a'));
    expect(held.dropReplacedBy(latest('a'))).toBe(1);
    expect([held.length, held.bytes]).toEqual([0, 0]);
  });

  it('hold only one of a hundred thousand updates of one key', () => {
    const held = holding(['reply']);
    for (let n = 0; n < 100_000; n += 1) {
      held.dropReplacedBy(latest('a'));
      held.add(bytes('x'), latest('a'));
    }
    expect([held.length, held.bytes]).toEqual([2, 6]);
  });

  it('are counted right, whatever is done to them', () => {
    const shedding = fc.constantFrom(undefined, oldest, latest('a'), latest('b'), kept(5), { ...oldest, expiresAt: 5 });
    const step = fc.oneof(
      fc.record({ add: fc.string({ maxLength: 5 }), shedding }),
      fc.constantFrom('oldest' as const, 'expired' as const),
    );
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const held = new HeldFrames();
        let expected = 0;
        for (const act of steps) {
          if (act === 'oldest') expected -= held.dropOldest();
          else if (act === 'expired') expected -= held.dropExpired(5);
          else {
            if (act.shedding) expected -= held.dropReplacedBy(act.shedding);
            held.add(bytes(act.add), act.shedding);
            expected += 1;
          }
        }
        const counted = [held.length, held.bytes];
        const frames = held.take().map(({ bytes: taken }) => taken);
        expect(counted).toEqual([expected, Buffer.concat(frames).length]);
        expect([frames.length, held.length, held.bytes]).toEqual([expected, 0, 0]);
      }),
    );
  });
});
