import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ChannelName, Position } from '../../../../../src/cluster/ports/broker.js';
import { Acknowledgements } from '../../../../../src/cluster/redis/broker/acknowledgements.js';

const CHANNEL = 'room:a' as ChannelName;
const LIFE_MS = 300_000;

describe('what was acknowledged', () => {
  let stated: [ChannelName, readonly Position[]][];
  let isAway: boolean;
  let acknowledgements: Acknowledgements;

  beforeEach(() => {
    vi.useFakeTimers();
    stated = [];
    isAway = false;
    acknowledgements = new Acknowledgements(async (channel, reached) => {
      if (isAway) throw new Error('Redis is away');
      stated.push([channel, reached]);
    });
  });
  afterEach(() => {
    acknowledgements.close();
    vi.useRealTimers();
  });

  function note(epoch: string, seq: number, { channel = CHANNEL, formers }: Partial<Noted> = {}): void {
    acknowledgements.note(channel, { position: { epoch, seq }, formers, lifeMs: LIFE_MS });
  }
  interface Noted {
    channel: ChannelName;
    formers: readonly Position[];
  }

  it('is stated as far as it goes, with the epochs before, when another server may answer', async () => {
    note('e2', 7, { formers: [{ epoch: 'e1', seq: 5 }] });
    note('e2', 8);
    acknowledgements.stateAll();
    await vi.advanceTimersByTimeAsync(0);
    expect(stated).toEqual([
      [
        CHANNEL,
        [
          { epoch: 'e2', seq: 8 },
          { epoch: 'e1', seq: 5 },
        ],
      ],
    ]);
  });

  it('is stated also where the other server has answered a publish before it was known to be another', async () => {
    note('e1', 9);
    note('e2', 8, { formers: [{ epoch: 'e1', seq: 7 }] });
    await vi.advanceTimersByTimeAsync(0);
    expect(stated).toEqual([[CHANNEL, [{ epoch: 'e1', seq: 9 }]]]);
  });

  it('has no epochs before where the new one goes on from none', async () => {
    note('e2', 7, { formers: [{ epoch: 'e1', seq: 5 }] });
    note('e3', 1);
    stated.length = 0;
    acknowledgements.stateAll();
    await vi.advanceTimersByTimeAsync(0);
    expect(stated.at(-1)).toEqual([CHANNEL, [{ epoch: 'e3', seq: 1 }]]);
  });

  it('is stated again a second later where Redis is away', async () => {
    note('e1', 1);
    isAway = true;
    acknowledgements.stateAll();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(stated).toEqual([]);
    isAway = false;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(stated).toEqual([[CHANNEL, [{ epoch: 'e1', seq: 1 }]]]);
  });

  it('is not stated once Redis may have forgotten it by right', async () => {
    note('e1', 1);
    await vi.advanceTimersByTimeAsync(LIFE_MS);
    acknowledgements.stateAll();
    await vi.advanceTimersByTimeAsync(0);
    expect(stated).toEqual([]);
  });

  it('is kept of 10,000 channels, those that were published in last', async () => {
    for (let number = 0; number <= 10_000; number += 1) {
      note('e1', 1, { channel: `room:${number}` as ChannelName });
      if (number === 5_000) note('e1', 2, { channel: 'room:0' as ChannelName });
    }
    acknowledgements.stateAll();
    await vi.advanceTimersByTimeAsync(0);
    expect(stated).toHaveLength(10_000);
    const names = new Set(stated.map(([channel]) => channel as string));
    expect([names.has('room:0'), names.has('room:1')]).toEqual([true, false]);
  });
});
