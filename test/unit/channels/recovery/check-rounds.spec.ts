import { setImmediate as settled } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { CheckRounds } from '../../../../src/channels/recovery/check-rounds.js';
import type { LocalChannel } from '../../../../src/channels/local-channel.js';
import type { ChannelName, Position, PositionChecks } from '../../../../src/cluster/ports/broker.js';
import { gate } from '../../../support/gate.js';

const EVERY_MS = 120_000;
const TICK_MS = 1_000;
const POSITION: Position = { epoch: 'e', seq: 1 };

/** A channel, as far as a check sees it. */
class Checked {
  checks = 0;
  readonly contradictions: Position[] = [];

  constructor(readonly name: ChannelName) {}

  check(asked: Map<ChannelName, Position>): void {
    this.checks += 1;
    asked.set(this.name, POSITION);
  }

  contradicted(position: Position): void {
    this.contradictions.push(position);
  }
}

function rounds(count: number, moved: PositionChecks['moved'] = async () => []) {
  const channels = new Map<ChannelName, Checked>();
  const open = (name: string): Checked => {
    const channel = new Checked(name as ChannelName);
    channels.set(channel.name, channel);
    return channel;
  };
  const lasting = Array.from({ length: count }, (_, n) => open(`log:${n}`));
  const checks = { everyMs: EVERY_MS, moved };
  const all = new CheckRounds(channels as unknown as ReadonlyMap<ChannelName, LocalChannel>, { checks });
  return { channels, open, lasting, all };
}

describe('the checks of positions', () => {
  it('reach every channel within the interval, and none twice', async () => {
    const { lasting, all } = rounds(1_000);
    for (let elapsed = 0; elapsed < EVERY_MS; elapsed += TICK_MS) {
      all.tick(TICK_MS);
      await settled();
    }
    expect(new Set(lasting.map(({ checks }) => checks))).toEqual(new Set([1]));
  });

  it('reach channels that stay, however many others come and go', async () => {
    const { channels, open, lasting, all } = rounds(300);
    const passing: Checked[] = [];
    for (let elapsed = 0; elapsed < 3 * EVERY_MS; elapsed += TICK_MS) {
      for (let n = 0; n < 15; n += 1) passing.push(open(`log:${elapsed}-${n}`));
      for (const { name } of passing.splice(0, passing.length - 150)) channels.delete(name);
      all.tick(TICK_MS);
      await settled();
    }
    expect(Math.min(...lasting.map(({ checks }) => checks))).toBeGreaterThanOrEqual(2);
  });

  it('tell a channel that has moved on what it was at, and nothing to others', async () => {
    const { lasting, all } = rounds(240, async () => ['log:1' as ChannelName, 'log:forgotten' as ChannelName]);
    all.tick(TICK_MS);
    await settled();
    expect(lasting.map(({ contradictions }) => contradictions)).toEqual(
      lasting.map((_, n) => (n === 1 ? [POSITION] : [])),
    );
  });

  it('wait for a broker that is slow, and go on after one that fails', async () => {
    let asked = 0;
    const door = gate();
    const { all } = rounds(240, async () => {
      asked += 1;
      await door.opened;
      throw new Error('away');
    });
    all.tick(TICK_MS);
    all.tick(TICK_MS);
    expect(asked).toBe(1);
    door.open();
    await settled();
    all.tick(TICK_MS);
    expect(asked).toBe(2);
  });
});
