import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { HonestClients, type HonestFigures } from './honest.js';
import type { Server } from './job.js';

export interface HonestLoad {
  readonly server: Server;
  readonly clients: number;
  readonly messagesPerSecond: number;
}

const thisFile = fileURLToPath(import.meta.url);

/** Clients with an echo in a process of their own: a load that is busy would add its own delay to their figures. */
export class HonestProcess implements Disposable {
  private constructor(private readonly child: ChildProcess) {}

  static async start({ server, clients, messagesPerSecond }: HonestLoad): Promise<HonestProcess> {
    const child = fork(thisFile, [JSON.stringify({ server, clients, messagesPerSecond })]);
    await once(child, 'message');
    return new HonestProcess(child);
  }

  /** What happened since the last call. */
  async figures(): Promise<HonestFigures> {
    const answer = once(this.child, 'message');
    this.child.send('figures');
    const [figures] = (await answer) as [HonestFigures];
    return figures;
  }

  [Symbol.dispose](): void {
    this.child.kill();
  }
}

async function serve({ server, clients, messagesPerSecond }: HonestLoad): Promise<void> {
  process.on('disconnect', () => process.exit());
  const honest = await HonestClients.open(server, clients);
  honest.start(messagesPerSecond);
  process.on('message', () => process.send?.(honest.figures()));
  process.send?.('ready');
}

// Imported by the load, or started by it.
if (process.argv[1] === thisFile) await serve(JSON.parse(process.argv[2] ?? '{}') as HonestLoad);
