import { setTimeout as pause } from 'node:timers/promises';
import { dialects } from '../../../bench/load/dialects.js';
import { clientFrame } from '../../../bench/load/frames.js';
import { RawClient } from '../../../bench/load/raw-client.js';
import { mintToken } from '../../support/test-server.js';
import type { Message } from '../../support/test-client.js';

const DIALECT = dialects.gatehouse;
const HANDSHAKE_MS = 2_000;
/** After this long without a sign of life an impatient client asks for one, and after SILENCE_MS it goes to another node. */
const PING_AFTER_MS = 1_000;
const SILENCE_MS = 2_500;
const MAX_BACK_OFF_MS = 500;
/** The reason in the close frame of an upgrade that a draining node refused. It names no window. */
const REFUSED = 'Server restarting';
const MAX_REMEMBERED = 4_096;

/** Subscribers of one channel get the same bytes, so most need no parsing. */
const parsed = new Map<string, Message>();

function parse(body: Buffer): Message {
  const text = body.toString('utf8');
  const known = parsed.get(text);
  if (known) return known;
  const message = JSON.parse(text) as Message;
  if (parsed.size >= MAX_REMEMBERED) parsed.clear();
  parsed.set(text, message);
  return message;
}

/** That a connection ended, and there was another. */
export interface Return {
  /** The code of the server's close frame; 0 where it sent none. */
  readonly code: number;
  /** With 1012: the window within which to come back. */
  readonly windowMs: number;
  /** From the close to the next connection. */
  readonly backMs: number;
}

export interface LineSetup {
  readonly user: string;
  /** Ports of the nodes that a client would be sent to now. */
  readonly ports: () => readonly number[];
  /** Which of them it begins with. */
  readonly first: number;
  /** Whether it leaves a node that has fallen silent. */
  readonly isImpatient: boolean;
  readonly onOpen: () => void;
  readonly onMessage: (message: Message) => void;
}

/** A client that is connected to one of the nodes, and connects again, to any, whenever that ends. */
export class Line implements AsyncDisposable {
  readonly returns: Return[] = [];
  private client: RawClient | undefined;
  private lastHeardAt = 0;
  private isOver = false;
  private readonly token: string;
  private readonly life: Promise<void>;

  constructor(private readonly setup: LineSetup) {
    this.token = mintToken({ sub: setup.user, roles: ['MEMBER'] });
    this.life = this.live();
  }

  send(message: object): void {
    this.client?.send(clientFrame(JSON.stringify(message)));
  }

  /** Connects anew. */
  cut(): void {
    this.client?.destroy();
  }

  /** To be called every so often. */
  watch(now: number): void {
    if (!this.client || !this.setup.isImpatient) return;
    const silence = now - this.lastHeardAt;
    if (silence > SILENCE_MS) this.client.destroy();
    else if (silence > PING_AFTER_MS) this.send({ type: 'ping' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isOver = true;
    this.client?.destroy();
    await this.life;
  }

  private async live(): Promise<void> {
    let last: { client: RawClient; endedAt: number } | undefined;
    for (let attempt = this.setup.first; !this.isOver; attempt = Math.floor(Math.random() * 1_000)) {
      const client = await this.open(attempt);
      if (!client) continue;
      if (last) this.returns.push({ ...reasonOf(last.client), backMs: performance.now() - last.endedAt });
      await this.use(client);
      last = { client, endedAt: performance.now() };
      if (!this.isOver) await pause(Math.random() * reasonOf(client).windowMs);
    }
  }

  private async open(attempt: number): Promise<RawClient | undefined> {
    const ports = this.setup.ports();
    const port = ports[attempt % ports.length];
    try {
      if (port === undefined) throw new Error('no node is up');
      return await RawClient.open({ port, dialect: DIALECT, token: this.token, deadlineMs: HANDSHAKE_MS });
    } catch {
      // Refused, or no answer: another node may take it.
      await pause(Math.random() * MAX_BACK_OFF_MS);
      return undefined;
    }
  }

  private async use(client: RawClient): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      client.onClosed = resolve;
    });
    this.client = client;
    this.lastHeardAt = performance.now();
    client.frames.keepBodies = true;
    client.onBody = (body) => {
      this.lastHeardAt = performance.now();
      this.setup.onMessage(parse(body));
    };
    if (client.closed || this.isOver) client.destroy();
    else this.setup.onOpen();
    if (!client.closed) await closed;
    this.client = undefined;
  }
}

function reasonOf({ closeCode, closeReason }: RawClient): { code: number; windowMs: number } {
  const namesWindow = closeCode === 1012 && closeReason !== REFUSED;
  return { code: closeCode, windowMs: namesWindow ? Number(closeReason) : MAX_BACK_OFF_MS };
}
