import { describe, expect, it } from 'vitest';
import type { AccessSettings } from '../../../../src/access/access-settings.js';
import type { Bans } from '../../../../src/access/lists/bans.js';
import { ConnectionLimits } from '../../../../src/access/limits/connection-limits.js';
import type { PlaceCheck } from '../../../../src/access/limits/place-check.js';
import type { Reconnects } from '../../../../src/access/limits/reconnects.js';
import type { ClusterConnectionLimits } from '../../../../src/access/limits/cluster-connection-limits.js';
import type { SessionRegistry } from '../../../../src/sessions/session-registry.js';

const CLIENT = { address: '203.0.113.7', limitKey: '203.0.113.7', isProxy: false };

function limits(): ConnectionLimits {
  const connections = { ratePerIp: 0, maxPerIp: 0, max: 0, maxPendingUpgrades: 5 };
  const settings = { connections, messages: { ratePerIp: 0 } } as AccessSettings;
  const bans = { isBanned: () => false, spares: () => false } as unknown as Bans;
  const check = { exempt: { has: () => false } } as unknown as PlaceCheck;
  return new ConnectionLimits(
    settings,
    {} as SessionRegistry,
    bans,
    {} as ClusterConnectionLimits,
    check,
    {} as Reconnects,
  );
}

describe('checks that nobody waits for any more', () => {
  it('have a bound of their own, beyond which the node is at capacity until they end', async () => {
    const node = limits();
    const ends: (() => void)[] = [];
    const check = (): Promise<void> => new Promise((resolve, reject) => ends.push(resolve, () => reject(new Error())));
    for (let count = 0; count < 10_000; count += 1) node.abandon(check());
    expect(node.take(CLIENT)).toBe('at_capacity');
    // Every other one fails, which frees its place as well.
    ends.forEach((end, index) => index % 4 === 0 && end());
    ends.forEach((end, index) => index % 4 === 3 && end());
    await Promise.resolve();
    expect(node.take(CLIENT)).toMatchObject({ key: CLIENT.limitKey });
  });
});
