import { setTimeout as pause } from 'node:timers/promises';
import { percentile } from '../harness/statistics.js';
import { dialects, type DialectName } from './dialects.js';
import { clientFrame } from './frames.js';
import type { ServerAccess } from './job.js';
import { RawClient } from './raw-client.js';
import { signToken } from './token.js';

/** Below CONNECTION_RATE_PER_IP by far, each from an address of its own. */
const openEveryMs = 20;
const answerDeadlineMs = 5_000;

export interface HonestFigures {
  readonly p50: number;
  readonly p99: number;
  /** Messages without an answer in time, answers that are none, and connections that were closed. */
  readonly errors: number;
}

/** Clients that ask for an echo at a fixed rate, whatever the server does meanwhile. */
export class HonestClients {
  private readonly clients: RawClient[] = [];
  private readonly sentAt = new Map<RawClient, number[]>();
  private milliseconds: number[] = [];
  private lost = 0;
  private timers: NodeJS.Timeout[] = [];

  private constructor(private readonly dialect: DialectName) {}

  static async open(server: ServerAccess, count: number): Promise<HonestClients> {
    const honest = new HonestClients(server.dialect);
    const dialect = dialects[server.dialect];
    for (let index = 0; index < count; index += 1) {
      const token = dialect.authenticated ? signToken(server.tokenKey, `honest-${index}`, ['MEMBER']) : null;
      const localAddress = `127.1.0.${1 + index}`;
      honest.watch(await RawClient.open({ port: server.port, dialect, token, localAddress }));
      await pause(openEveryMs);
    }
    return honest;
  }

  start(messagesPerSecond: number): void {
    const everyMs = 1_000 / messagesPerSecond;
    this.timers = this.clients.map((client, index) => {
      const request = dialects[this.dialect].message('echo', index, { text: 'x'.repeat(100) });
      // The answer is the request with another type; an error is longer or shorter.
      client.frames.expectedLength = Buffer.byteLength(request) + '_reply'.length;
      const frame = clientFrame(request);
      return setInterval(() => this.ask(client, frame), everyMs);
    });
  }

  stop(): void {
    for (const timer of this.timers) clearInterval(timer);
  }

  close(): void {
    this.stop();
    for (const client of this.clients) client.destroy();
  }

  /** What happened since it was asked last. */
  figures(): HonestFigures {
    const now = performance.now();
    for (const waiting of this.sentAt.values()) {
      while (waiting[0] !== undefined && now - waiting[0] > answerDeadlineMs) {
        waiting.shift();
        this.lost += 1;
      }
    }
    const errors = this.lost + this.oddAnswers();
    const taken = this.milliseconds;
    this.milliseconds = [];
    this.lost = 0;
    return { p50: percentile(taken, 50), p99: percentile(taken, 99), errors };
  }

  private watch(client: RawClient): void {
    const waiting: number[] = [];
    this.clients.push(client);
    this.sentAt.set(client, waiting);
    client.onMessages = (count) => {
      const now = performance.now();
      // Answers come in the order of what was asked.
      for (const at of waiting.splice(0, count)) this.milliseconds.push(now - at);
    };
    client.onClosed = () => (this.lost += 1);
  }

  private ask(client: RawClient, frame: Buffer): void {
    if (client.closed) {
      this.lost += 1;
      return;
    }
    this.sentAt.get(client)?.push(performance.now());
    client.send(frame);
  }

  private oddAnswers(): number {
    let odd = 0;
    for (const client of this.clients) {
      odd += client.frames.oddMessages;
      client.frames.oddMessages = 0;
    }
    return odd;
  }
}
