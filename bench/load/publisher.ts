import { setTimeout as pause } from 'node:timers/promises';
import type { RawClient } from './raw-client.js';

/** Publishes at a fixed rate, whatever comes back: in a closed loop the order of events would decide the result. */
export class Publisher {
  published = 0;
  /** What one of the clients sends in a turn. */
  private readonly portion: Buffer;

  /**
   * @param clients who publish, each an equal part of `perTurn`
   * @param frame one publication
   */
  constructor(
    private readonly clients: readonly RawClient[],
    frame: Buffer,
    private readonly perTurn: number,
  ) {
    this.portion = Buffer.concat(Array<Buffer>(perTurn / clients.length).fill(frame));
  }

  /** `beforeTurn` is told the number of the turn's first publication. */
  async publish(turnsPerSecond: number, durationMs: number, beforeTurn?: (first: number) => void): Promise<void> {
    const turns = Math.max(1, Math.round((turnsPerSecond * durationMs) / 1_000));
    const started = performance.now();
    for (let turn = 0; turn < turns; turn += 1) {
      await pause(Math.max(0, started + (turn * 1_000) / turnsPerSecond - performance.now()));
      beforeTurn?.(this.published);
      for (const client of this.clients) client.send(this.portion);
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
