import { setTimeout as pause } from 'node:timers/promises';
import { residentBytes } from '../harness/processor-time.js';
import type { Server } from './job.js';

/**
 * Resident memory without garbage. A server without a garbage collector gets the same time to settle and no signal.
 *
 * Collects twice, because the first collection only queues what finalizers and weak references still hold.
 */
export async function bytesAfterCollection({ pid, collectsOnSignal }: Server, settleMs: number): Promise<number> {
  for (let round = 0; round < 2; round += 1) {
    await pause(settleMs / 2);
    if (collectsOnSignal) process.kill(pid, 'SIGUSR2');
  }
  await pause(settleMs / 2);
  return residentBytes(pid);
}
