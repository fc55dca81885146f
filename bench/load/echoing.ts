import { countClosed, openConnections } from './connections.js';
import { dialects, messageFrame } from './dialects.js';
import type { Server } from './job.js';
import type { RawClient } from './raw-client.js';

export interface EchoLoad {
  readonly server: Server;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** What the reply must contain. */
  readonly proof: string;
  readonly connections: number;
  readonly outstanding: number;
}

const proofDeadlineMs = 5_000;

/** Every connection keeps `outstanding` requests under way: each reply is answered by the next request. */
export class Echoing {
  /** So far. */
  replies = 0;
  private surplus = 0;

  private constructor(private readonly clients: readonly RawClient[]) {}

  static async start(load: EchoLoad): Promise<Echoing> {
    const clients = await openConnections(load.server, load.connections);
    const batches = clients.map((_, index) => batchesOf(load, index));
    await Promise.all(clients.map((client, index) => proveReply(client, batches[index]?.[1], load.proof)));
    const echoing = new Echoing(clients);
    clients.forEach((client, index) => echoing.keepUp(client, batches[index] ?? []));
    for (const [index, client] of clients.entries()) client.send(batches[index]?.[load.outstanding] ?? Buffer.alloc(0));
    return echoing;
  }

  /** Why what was measured does not count; null where it does. */
  complaint(measured: number): string | null {
    const closed = countClosed(this.clients);
    const odd = this.clients.reduce((sum, client) => sum + client.frames.oddMessages, 0);
    if (closed > 0) return `${closed} connections were closed`;
    if (odd > 0) return `${odd} replies differed from the first one`;
    if (this.surplus > 0) return 'more replies than requests';
    return measured > 0 ? null : 'no replies in the measured window';
  }

  private keepUp(client: RawClient, batches: readonly Buffer[]): void {
    client.onMessages = (count) => {
      this.replies += count;
      const next = batches[count];
      if (next) client.send(next);
      else this.surplus += 1;
    };
  }
}

/** `[k]` holds k requests in one buffer, so that k replies are answered by one write. */
function batchesOf({ server, type, data, outstanding }: EchoLoad, id: number): Buffer[] {
  const frame = messageFrame(dialects[server.dialect], type, id, data);
  return Array.from({ length: outstanding + 1 }, (_, count) => Buffer.concat(Array<Buffer>(count).fill(frame)));
}

/** A server that answers with errors would be a fast one: the first reply is read, all others must be as long. */
function proveReply(client: RawClient, request: Buffer | undefined, proof: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => reject(new Error('no reply to the first request')), proofDeadlineMs);
    client.frames.keepBodies = true;
    client.onBody = (body) => {
      clearTimeout(deadline);
      client.onBody = null;
      client.frames.keepBodies = false;
      client.frames.expectedLength = body.length;
      const text = body.toString();
      if (text.includes(proof)) resolve();
      else reject(new Error(`unexpected reply: ${text.slice(0, 200)}`));
    };
    client.send(request ?? Buffer.alloc(0));
  });
}
