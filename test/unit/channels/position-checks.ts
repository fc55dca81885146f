import type { Broker, ChannelName, PositionChecks } from '../../../src/cluster/ports/broker.js';
import { isSamePosition } from '../../../src/cluster/ports/continuity.js';

/** Checks of a broker of a test: it asks for each position. */
export function checksOf(everyMs: number, history: Broker['history']): PositionChecks {
  return {
    everyMs,
    async moved(positions) {
      const found: ChannelName[] = [];
      for (const [name, position] of positions) {
        const { top } = await history(name, { limit: 0 }).catch(() => ({ top: position }));
        if (!isSamePosition(top, position)) found.push(name);
      }
      return found;
    },
  };
}
