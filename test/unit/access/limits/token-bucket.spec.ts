import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageRate } from '../../../../src/access/limits/message-rate.js';
import { TokenBucket } from '../../../../src/access/limits/token-bucket.js';

const RATE = fc.integer({ min: 1, max: 10_000 });

describe('a token bucket', () => {
  it('starts full, empties, and fills again at its rate up to its burst', () => {
    const bucket = new TokenBucket({ rate: 10, burst: 3 });
    expect([1, 2, 3].map(() => bucket.take(1_000))).toEqual([0, 0, 0]);
    expect(bucket.take(1_000)).toBe(100);
    expect(bucket.take(1_050)).toBe(50);
    expect(bucket.take(1_100)).toBe(0);
    expect(bucket.take(1_100)).toBe(100);
    expect([1, 2, 3, 4].map(() => bucket.take(100_000))).toEqual([0, 0, 0, 100]);
  });

  it('gives several tokens at once, or none of them, and says when there are so many', () => {
    const bucket = new TokenBucket({ rate: 10, burst: 5 });
    expect([bucket.take(0, 4), bucket.take(0, 2), bucket.take(0, 1), bucket.take(0, 5)]).toEqual([0, 100, 0, 500]);
    expect([bucket.take(499, 5), bucket.take(500, 5), bucket.take(500)]).toEqual([1, 0, 100]);
  });

  it('is emptied by what costs more than it holds', () => {
    const bucket = new TokenBucket({ rate: 10, burst: 5 });
    expect([bucket.take(0, 1_000), bucket.take(0), bucket.take(400, 1_000), bucket.take(500, 1_000)]).toEqual([
      0, 100, 100, 0,
    ]);
  });

  it('takes nothing where it only looks', () => {
    const bucket = new TokenBucket({ rate: 1, burst: 1 });
    expect([bucket.waitFor(0), bucket.waitFor(0), bucket.take(0), bucket.waitFor(0)]).toEqual([0, 0, 0, 1_000]);
  });

  it('has a token for whoever waits as long as it said', () => {
    fc.assert(
      fc.property(RATE, RATE, fc.array(fc.double({ min: 0, max: 500, noNaN: true })), (rate, burst, pauses) => {
        const bucket = new TokenBucket({ rate, burst });
        let now = 0;
        for (const pause of pauses) {
          now += pause;
          const wait = bucket.take(now);
          if (wait === 0) continue;
          now += wait;
          expect(bucket.take(now)).toBe(0);
        }
      }),
    );
  });

  it('never lets more pass than the burst and the rate allow', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 100 }),
        fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 300 }),
        (rate, burst, pauses) => {
          const bucket = new TokenBucket({ rate, burst });
          let now = 0;
          let passed = 0;
          for (const pause of pauses) {
            now += pause;
            if (bucket.take(now) === 0) passed += 1;
            expect(passed).toBeLessThanOrEqual(burst + (now * rate) / 1_000 + 0.001);
          }
        },
      ),
    );
  });
});

describe('the rate of a session', () => {
  it('takes from its own bucket and from that of its address, or from neither', () => {
    const own = new TokenBucket({ rate: 1, burst: 3 });
    const ofAddress = new TokenBucket({ rate: 1, burst: 1 });
    const rate = new MessageRate(own, ofAddress);
    expect(rate.take(0)).toBe(0);
    // The address is out of tokens: that must not cost the session its own.
    for (let n = 0; n < 10; n += 1) expect(rate.take(0)).toBe(1_000);
    expect([own.take(0), own.take(0), own.take(0)]).toEqual([0, 0, 1_000]);
  });

  it('is told the longer of both waits', () => {
    const slow = new TokenBucket({ rate: 1, burst: 1 });
    const fast = new TokenBucket({ rate: 100, burst: 1 });
    slow.take(0);
    fast.take(0);
    expect(new MessageRate(slow, fast).take(0)).toBe(1_000);
    expect(new MessageRate(fast, slow).take(0)).toBe(1_000);
  });

  it('takes more for a message that turns out to be dear, or gives back what it had taken', () => {
    const own = new TokenBucket({ rate: 1, burst: 10 });
    const ofAddress = new TokenBucket({ rate: 1, burst: 6 });
    const rate = new MessageRate(own, ofAddress);
    expect([rate.take(0), rate.raise(0, 1, 5)]).toEqual([0, 0]);
    // Of the address one is left: enough for a look, and not for the message.
    expect([rate.take(0), rate.raise(0, 1, 5)]).toEqual([0, 4_000]);
    expect([own.take(0, 5), ofAddress.take(0, 1)]).toEqual([0, 0]);
  });

  it('has no bound where there is no bucket', () => {
    const rate = new MessageRate(undefined, undefined);
    for (let n = 0; n < 10_000; n += 1) expect(rate.take(0)).toBe(0);
  });
});
