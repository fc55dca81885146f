import type { ChannelName, History, Position } from '../../ports/broker.js';
import { newEpoch } from '../../ports/epoch.js';
import { ReadTurns } from '../../ports/read-turns.js';
import { busy, type RedisLink } from '../connection/redis-link.js';
import { RedisScript } from '../connection/redis-script.js';
import { portionsOf } from './portions.js';
import { keysOf, MEMORY_MS, positionsIn } from './redis-entries.js';

const READ_POSITIONS = RedisScript.load('read-positions');

/** Positions that one command reads, so that none keeps Redis busy for long. */
export const MAX_POSITIONS = 100;
/** Commands at one time, to each server. The others wait: a restart asks for the positions of all channels at once. */
const MAX_AT_ONCE = 64;

interface Read {
  /** Where the position is kept. */
  readonly key: string;
  /** The position that this node knows, as `epoch seq`. Empty: none. */
  readonly known: string;
}

interface Wish extends Read {
  readonly resolve: (history: History) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Reads positions of channels to which this node is subscribed, many in one command. Each position that is read stays
 * known for `MEMORY_MS` at least.
 */
export class PositionReads {
  private wishes: Wish[] = [];
  /** By server, so that a silent one of a cluster holds up no reads from the others. */
  private readonly turns = new Map<string, ReadTurns>();

  constructor(private readonly link: RedisLink) {}

  /**
   * The position of a channel, without publications. Those asked for in one event-loop turn are read together.
   *
   * @throws GatehouseError SERVER_BUSY if Redis cannot be reached
   */
  positionOf(channel: ChannelName): Promise<History> {
    const key = this.keyOf(channel);
    return new Promise((resolve, reject) => {
      if (this.wishes.push({ key, known: '', resolve, reject }) === 1) setImmediate(() => this.grant());
    });
  }

  /** The channels that are not at these positions. Where Redis cannot be reached, none. */
  async moved(positions: ReadonlyMap<ChannelName, Position>): Promise<readonly ChannelName[]> {
    const reads = Array.from(positions, ([channel, { epoch, seq }]) => {
      return { channel, key: this.keyOf(channel), known: `${epoch} ${seq}` };
    });
    const found = this.portionsOf(reads).map(async (portion) => {
      const lines = await this.linesOf(portion).catch(() => []);
      return portion.filter((_, index) => (lines[index] ?? '') !== '');
    });
    return (await Promise.all(found)).flat().map(({ channel }) => channel);
  }

  private grant(): void {
    const { wishes } = this;
    this.wishes = [];
    for (const portion of this.portionsOf(wishes)) void this.grantSome(portion);
  }

  private async grantSome(wishes: readonly Wish[]): Promise<void> {
    try {
      const lines = await this.linesOf(wishes);
      wishes.forEach(({ resolve }, index) => resolve(historyAt(lines[index] ?? '')));
    } catch (error) {
      for (const { reject } of wishes) reject(error);
    }
  }

  /** What the script says of each. */
  private linesOf(reads: readonly Read[]): Promise<readonly string[]> {
    return this.turnsOf(reads).take(async () => {
      const keys = reads.map(({ key }) => key);
      const known = reads.map((read) => read.known);
      return String(await this.link.run(READ_POSITIONS, keys, [newEpoch(), MEMORY_MS, ...known])).split('\n');
    });
  }

  private turnsOf([read]: readonly Read[]): ReadTurns {
    const server = read === undefined ? '' : this.link.serverOf(read.key);
    const turns = this.turns.get(server) ?? new ReadTurns(MAX_AT_ONCE);
    this.turns.set(server, turns);
    return turns;
  }

  private portionsOf<T extends Read>(reads: readonly T[]): T[][] {
    return portionsOf(reads, ({ key }) => key, { bySlot: this.link.isCluster, size: MAX_POSITIONS });
  }

  private keyOf(channel: ChannelName): string {
    return keysOf(this.link, channel)[0];
  }
}

/**
 * @param line the position, and the epochs that it continues
 * @throws GatehouseError SERVER_BUSY if it is not one
 */
function historyAt(line: string): History {
  const [top, ...continues] = positionsIn(line);
  if (top === undefined) throw busy();
  return { top, publications: [], continues };
}
