import { Injectable } from '@nestjs/common';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Subprotocol } from '@gatehouse/protocol';
import { CODECS } from '../../protocol/codecs/subprotocols.js';
import { SessionRegistry } from '../../sessions/session-registry.js';
import type { Traffic } from '../../socket/traffic.js';

/** Sockets asked in one turn of the event loop: a third of a millisecond. */
const PORTION = 1_000;

/** What connections add up to. */
@Injectable()
export class ConnectionTallies {
  readonly byProtocol = new Map<Subprotocol, number>(Object.values(CODECS).map(({ subprotocol }) => [subprotocol, 0]));
  private readonly sum: Traffic = { bytesIn: 0, bytesOut: 0 };

  constructor(private readonly sessions: SessionRegistry) {
    const { events } = sessions;
    events.on('opened', ({ codec }) => this.count(codec.subprotocol, 1));
    events.on('closed', ({ codec, connection }) => {
      this.count(codec.subprotocol, -1);
      connection.tellTraffic(this.sum);
    });
  }

  /**
   * What the network has carried since the start. Sockets count by themselves, so each is asked at a scrape, which costs 30 ms
   * of processor time for 100,000 and nothing a message; in portions, so that no message waits for it. Each tells what came
   * since it was asked last: so the sum never falls, whoever comes or goes meanwhile.
   */
  async traffic(): Promise<readonly (readonly [direction: 'in' | 'out', bytes: number])[]> {
    let asked = 0;
    for (const { connection } of this.sessions) {
      connection.tellTraffic(this.sum);
      asked += 1;
      if (asked % PORTION === 0) await nextTurn();
    }
    const { bytesIn, bytesOut } = this.sum;
    return [
      ['in', bytesIn],
      ['out', bytesOut],
    ];
  }

  private count(protocol: Subprotocol, change: 1 | -1): void {
    this.byProtocol.set(protocol, (this.byProtocol.get(protocol) ?? 0) + change);
  }
}
