import {
  connect as connectHttp2,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type SecureClientSessionOptions,
} from 'node:http2';
import { once } from 'node:events';
import { mintToken } from './test-server.js';

/** A connection of HTTP/2 that carries WebSockets, each as an extended CONNECT (RFC 8441). */
export class Http2Client implements AsyncDisposable {
  private constructor(private readonly session: ClientHttp2Session) {
    session.on('error', () => {});
  }

  /** Resolves when the other side has said what it takes. */
  static async connect(origin: string, options: SecureClientSessionOptions = {}): Promise<Http2Client> {
    const session = connectHttp2(origin, options);
    await once(session, 'remoteSettings');
    return new Http2Client(session);
  }

  /** Undefined for HTTP/2 in plain text. */
  get alpn(): string | undefined {
    return this.session.alpnProtocol;
  }

  get takesWebSockets(): boolean {
    return this.session.remoteSettings.enableConnectProtocol === true;
  }

  get maxStreams(): number | undefined {
    return this.session.remoteSettings.maxConcurrentStreams;
  }

  /** Asks for a WebSocket on a stream of its own. */
  async open(headers: Readonly<Record<string, string>> = {}): Promise<Http2WebSocket> {
    const stream = this.session.request({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':path': '/ws',
      'sec-websocket-version': '13',
      'sec-websocket-protocol': 'v1.json',
      authorization: `Bearer ${mintToken()}`,
      ...headers,
    });
    return new Http2WebSocket(stream, await statusOf(stream));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.session, 'close');
    this.session.destroy();
    await closed;
  }
}

/** 0 where the stream was reset instead of answered. */
async function statusOf(stream: ClientHttp2Stream): Promise<number> {
  try {
    const [answer] = (await once(stream, 'response')) as [Record<string, unknown>];
    return Number(answer[':status']);
  } catch {
    return 0;
  }
}

/** A WebSocket within a stream: short text messages, and the close frame. */
export class Http2WebSocket {
  private received = Buffer.alloc(0);
  private hasEnded = false;
  private wake: () => void = () => {};

  constructor(
    private readonly stream: ClientHttp2Stream,
    readonly status: number,
  ) {
    stream.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.wake();
    });
    stream.on('error', () => {});
    stream.on('close', () => {
      this.hasEnded = true;
      this.wake();
    });
  }

  /** Sends a message and resolves with the next one that comes. */
  async request(message: object): Promise<unknown> {
    const bytes = Buffer.from(JSON.stringify(message));
    this.stream.write(masked(0x1, bytes));
    return JSON.parse((await this.frame()).toString());
  }

  /** Resolves with the code of the server's close frame, past all that comes before it. */
  async closed(): Promise<number> {
    return (await this.frame(0x8)).readUInt16BE(0);
  }

  /** Says goodbye, and resolves when the stream has ended. */
  async leave(): Promise<void> {
    this.stream.end(masked(0x8, Buffer.from([0x03, 0xe8])));
    this.stream.resume();
    while (!this.hasEnded) await this.news();
  }

  /** The payload of the next frame of a kind; servers send theirs whole and unmasked. */
  private async frame(opcode = 0x1): Promise<Buffer> {
    for (;;) {
      const [first = 0, short = 0] = await this.bytes(2);
      const long = short < 126 ? 0 : short === 126 ? 2 : 8;
      const length = long === 0 ? short : (await this.bytes(long)).readUIntBE(Math.max(0, long - 6), Math.min(long, 6));
      const payload = await this.bytes(length);
      if ((first & 0x0f) === opcode) return payload;
    }
  }

  private async bytes(count: number): Promise<Buffer> {
    while (this.received.length < count) {
      if (this.hasEnded) throw new Error('the stream ended before what was awaited');
      await this.news();
    }
    const taken = this.received.subarray(0, count);
    this.received = this.received.subarray(count);
    return taken;
  }

  private news(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }
}

/** With a mask of zeros, which leaves the payload as it is. */
function masked(opcode: number, payload: Buffer): Buffer {
  const length = payload.length < 126 ? [0x80 | payload.length] : [0xfe, payload.length >> 8, payload.length & 0xff];
  return Buffer.concat([Buffer.from([0x80 | opcode, ...length, 0, 0, 0, 0]), payload]);
}
