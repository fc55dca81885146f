import type { Broker, ChannelName, Position, PositionChecks } from '../../cluster/ports/broker.js';
import type { LocalChannel } from '../local-channel.js';

/** Checks the positions of all channels of this node in turn, evenly spread over the interval in which each must be. */
export class CheckRounds {
  private round: Iterator<LocalChannel>;
  /** Channels of this round that are left. Those that were opened since it began are not: they would never end. */
  private left = 0;
  /** A fraction, because few channels are checked less often than once a tick. */
  private due = 0;
  private isChecking = false;

  constructor(
    private readonly channels: ReadonlyMap<ChannelName, LocalChannel>,
    private readonly broker: Pick<Broker, 'checks'>,
  ) {
    this.round = channels.values();
  }

  /** @param elapsedMs since the last tick */
  tick(elapsedMs: number): void {
    const { checks } = this.broker;
    // A broker that is slow is not asked for more.
    if (checks === undefined || this.isChecking) return;
    const asked = new Map<ChannelName, Position>();
    this.due += (this.channels.size * elapsedMs) / checks.everyMs;
    for (; this.due >= 1; this.due -= 1) {
      const channel = this.next();
      if (channel === undefined) break;
      channel.check(asked);
    }
    if (asked.size > 0) void this.check(checks, asked);
  }

  /** Undefined at the end of a round. */
  private next(): LocalChannel | undefined {
    if (this.left === 0) {
      this.round = this.channels.values();
      this.left = this.channels.size;
    }
    const { done, value } = this.round.next();
    this.left = done ? 0 : this.left - 1;
    return done ? undefined : value;
  }

  private async check(checks: PositionChecks, asked: ReadonlyMap<ChannelName, Position>): Promise<void> {
    this.isChecking = true;
    for (const name of await checks.moved(asked).catch(() => [])) {
      const position = asked.get(name);
      if (position !== undefined) this.channels.get(name)?.contradicted(position);
    }
    this.isChecking = false;
  }
}
