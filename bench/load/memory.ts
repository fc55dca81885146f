import { setTimeout as pause } from 'node:timers/promises';
import { residentBytes } from '../harness/processor-time.js';
import type { Server } from './job.js';

/** Twice, because the first collection only queues what finalizers and weak references still hold. */
export async function bytesAfterCollection({ pid }: Server, settleMs: number): Promise<number> {
  for (let round = 0; round < 2; round += 1) {
    await pause(settleMs / 2);
    process.kill(pid, 'SIGUSR2');
  }
  await pause(settleMs / 2);
  return residentBytes(pid);
}
