import { Inject, Injectable } from '@nestjs/common';
import { Settings } from '../../../config/settings.js';
import { NodeBus, sumOf } from '../../cluster/ports/node-bus.js';
import { SharedCounts } from '../../cluster/ports/shared-counts.js';
import type { AccessSettings } from '../access-settings.js';
import { Bans } from '../lists/bans.js';
import { ExpiringTable } from './expiring-table.js';
import { LostConnections, MEMORY_MS } from './lost-connections.js';
import { MAX_CHECKS, PlaceCheck, PROOF_MS } from './place-check.js';

/**
 * Attempts that a client may need after it lost its connection: while its whole office comes back, most are refused.
 */
export const TRIES = 8;
/**
 * Most connections that count as lost if MAX_CONNECTIONS_PER_IP is 0. Otherwise an address cannot have lost more than
 * that limit.
 */
const MAX_LOST = 1_000;
/** Addresses over the rate that are remembered; 24 bytes each, in two tables. */
const PLACES = 16_384;

const KIND = 'lost-connections';

/**
 * Decides whether an address over its connection rate is banned as well. The clients of an office that lost their
 * connections, with a node or their network, come back within a second. So a ban needs more refusals than lost
 * connections explain: those that vanished or were drained, those that hold a place and answer no ping, and those of
 * nodes that do not answer.
 */
@Injectable()
export class Reconnects {
  /** Number of addresses over their rate that were not banned. */
  sparedCount = 0;
  private readonly refused = new ExpiringTable(PLACES);
  /** Lost connections that a check has found, because the lease of a dead node ends before all its clients are back. */
  private readonly found = new ExpiringTable(PLACES);
  private readonly checked = new Set<string>();

  constructor(
    @Inject(Settings) private readonly settings: AccessSettings,
    private readonly bus: NodeBus,
    private readonly counts: SharedCounts,
    private readonly bans: Bans,
    private readonly lost: LostConnections,
    private readonly places: PlaceCheck,
  ) {
    bus.handle(KIND, (payload) => (typeof payload === 'string' ? this.lostHere(payload) : 0));
  }

  /** @param limitKey of the refused address: the address, or the /64 of an IPv6 address */
  overRate(limitKey: string): void {
    if (this.settings.connections.banDurationMs === 0) return;
    const now = performance.now();
    const known = this.knownLost(limitKey, now);
    // The usual case of a flood: nothing to check, nothing to remember.
    if (known === 0 && !this.mayHaveLostMore(limitKey)) return this.bans.breach(limitKey, 'connection_rate');
    const refused = (this.refused.get(limitKey, now) ?? 0) + 1;
    this.refused.set(limitKey, refused, { now, until: now + MEMORY_MS });
    if (refused > known * TRIES) this.suspect(limitKey);
    else if (refused === 1) this.sparedCount += 1;
  }

  private suspect(limitKey: string): void {
    if (!this.mayHaveLostMore(limitKey)) return this.bans.breach(limitKey, 'connection_rate');
    if (this.checked.has(limitKey) || this.checked.size >= MAX_CHECKS) return;
    this.checked.add(limitKey);
    void this.check(limitKey).finally(() => this.checked.delete(limitKey));
  }

  private async check(limitKey: string): Promise<void> {
    const [here, elsewhere] = await Promise.all([this.places.silentHere(limitKey), this.lostElsewhere(limitKey)]);
    const now = performance.now();
    const found = Math.max(here + elsewhere, this.found.get(limitKey, now) ?? 0);
    if (found > 0) this.found.set(limitKey, found, { now, until: now + MEMORY_MS });
    const refused = this.refused.get(limitKey, now) ?? 0;
    if (refused > this.knownLost(limitKey, now) * TRIES) this.bans.breach(limitKey, 'connection_rate');
    else this.sparedCount += 1;
  }

  private knownLost(limitKey: string, now: number): number {
    const found = this.found.get(limitKey, now) ?? 0;
    const known = this.lost.hereOf(limitKey, now) + this.lost.drainedOf(limitKey, now) + found;
    const { maxPerIp } = this.settings.connections;
    return Math.min(known, maxPerIp > 0 ? maxPerIp : MAX_LOST);
  }

  private mayHaveLostMore(limitKey: string): boolean {
    return this.bus.reachesOthers || this.places.mayBeSilent(limitKey);
  }

  private async lostHere(limitKey: string): Promise<number> {
    return this.lost.hereOf(limitKey, performance.now()) + (await this.places.silentHere(limitKey));
  }

  private async lostElsewhere(limitKey: string): Promise<number> {
    // At once, because the places of a dead node disappear when its lease ends.
    const places = this.counts.byNode('address', limitKey).catch(() => new Map<string, number>());
    const answers = await this.bus.ask<number>(KIND, limitKey, { timeoutMs: PROOF_MS });
    const { missing } = answers;
    // Without a limit no places are counted, so a lost node explains as much as allowed.
    if (missing.length > 0 && this.settings.connections.maxPerIp === 0) return MAX_LOST;
    const byNode = await places;
    return sumOf(answers) + missing.reduce((sum, node) => sum + (byNode.get(node) ?? 0), 0);
  }
}
