import { Injectable } from '@nestjs/common';
import { Session } from 'node:inspector';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { DeepLook } from './deep-look.js';
import { fileName, type Download } from './download.js';

/** V8's intervals: the stack every millisecond, and one allocation in 32 KiB. */
const COMMANDS = {
  cpu: { start: ['Profiler.enable', 'Profiler.start'], stop: 'Profiler.stop' },
  heap: { start: ['HeapProfiler.enable', 'HeapProfiler.startSampling'], stop: 'HeapProfiler.stopSampling' },
} as const satisfies Record<ProfileKind, { start: readonly string[]; stop: string }>;

/** Of the processor, or of allocations that stay in memory. */
export type ProfileKind = 'cpu' | 'heap';

/** Records what the processor does, or who allocates memory that stays. The process goes on, a few percent slower. */
@Injectable()
export class Profiles {
  constructor(private readonly look: DeepLook) {}

  /**
   * @param gone ends the recording at once, because nobody waits for it
   * @throws DiagnosticsRefusal `under_way`
   */
  async take(
    kind: ProfileKind,
    { nodeId, seconds }: { nodeId: string; seconds: number },
    gone: AbortSignal,
  ): Promise<Download> {
    const end = this.look.begin();
    const session = new Session();
    const { start, stop } = COMMANDS[kind];
    try {
      session.connect();
      for (const command of start) await ask(session, command);
      await pause(seconds * 1_000, undefined, { signal: gone }).catch(() => {});
      const { profile } = await ask(session, stop);
      const content = Buffer.from(JSON.stringify(profile));
      return { name: fileName(nodeId, `${kind}profile`), bytes: content.length, content: Readable.from([content]) };
    } finally {
      session.disconnect();
      end();
    }
  }
}

function ask(session: Session, command: string): Promise<{ readonly profile?: unknown }> {
  return new Promise((resolve, reject) => {
    session.post(command, (error, answer = {}) => (error ? reject(error) : resolve(answer)));
  });
}
