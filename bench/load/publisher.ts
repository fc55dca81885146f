import { setTimeout as pause } from 'node:timers/promises';
import { dialects } from './dialects.js';
import { clientFrame } from './frames.js';
import type { Server } from './job.js';
import type { RawClient } from './raw-client.js';

/** Publishes at a fixed rate, whatever comes back: in a closed loop the order of events would decide the result. */
export class Publisher {
  published = 0;
  private readonly turn: Buffer;

  constructor(
    private readonly client: RawClient,
    server: Server,
    data: unknown,
    private readonly perTurn: number,
  ) {
    const frame = clientFrame(dialects[server.dialect].message('broadcast', null, data));
    this.turn = Buffer.concat(Array<Buffer>(perTurn).fill(frame));
  }

  /** `beforeTurn` is told the number of the turn's first publication. */
  async publish(turnsPerSecond: number, durationMs: number, beforeTurn?: (first: number) => void): Promise<void> {
    const turns = Math.max(1, Math.round((turnsPerSecond * durationMs) / 1_000));
    const started = performance.now();
    for (let turn = 0; turn < turns; turn += 1) {
      await pause(Math.max(0, started + (turn * 1_000) / turnsPerSecond - performance.now()));
      beforeTurn?.(this.published);
      this.client.send(this.turn);
      this.published += this.perTurn;
    }
  }
}

/** Waits until the condition holds, at most `limitMs`; says whether it does. */
export async function settled(condition: () => boolean, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (!condition() && performance.now() < deadline) await pause(2);
  return condition();
}
