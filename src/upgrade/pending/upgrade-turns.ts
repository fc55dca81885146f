import type { Duplex } from 'node:stream';

/** Upgrades in one turn of the event loop. Each takes 0.15 ms, and three times as long soon after the start. */
const MAX_A_TURN = 64;

interface Waiting {
  readonly socket: Duplex;
  readonly begin: () => void;
}

/**
 * Spreads upgrades over the turns of the event loop. When thousands of clients come back at once, Node reads all of their
 * requests in one turn, and clients that are connected would wait until every one of them has its answer.
 */
export class UpgradeTurns {
  private readonly waiting: Waiting[] = [];
  private begun = 0;
  private next: NodeJS.Immediate | undefined;

  /** @param begin called now or in a later turn, in the order of the calls, even if the socket is gone by then */
  take(socket: Duplex, begin: () => void): void {
    this.next ??= setImmediate(() => this.turn());
    if (this.begun < MAX_A_TURN && this.waiting.length === 0) {
      this.begun += 1;
      return begin();
    }
    // Without a listener, an error would end the process.
    socket.on('error', ignore);
    this.waiting.push({ socket, begin });
  }

  private turn(): void {
    const isOver = this.begun === 0 && this.waiting.length === 0;
    this.next = isOver ? undefined : setImmediate(() => this.turn());
    const due = this.waiting.splice(0, MAX_A_TURN);
    this.begun = due.length;
    for (const { socket, begin } of due) {
      socket.off('error', ignore);
      begin();
    }
  }
}

function ignore(): void {}
