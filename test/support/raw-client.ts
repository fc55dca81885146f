import { randomBytes } from 'node:crypto';
import { connect as connectTcp, type Socket } from 'node:net';

export interface RawUpgrade {
  readonly method?: string;
  readonly path?: string;
  /** Of HTTP; 1.1 where it is left out. */
  readonly version?: string;
  /** Whether the client ends its side of the connection behind the request. */
  readonly endsItsSide?: boolean;
  /** On top of those of a good handshake; undefined takes one away. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** How an upgrade was answered: by HTTP, or by a close frame right behind the handshake. */
export interface Outcome extends HttpAnswer {
  readonly body: string;
  readonly close: { readonly code: number; readonly reason: string } | undefined;
}

/** A WebSocket client of bare bytes: it does only what a test tells it, so it never answers a ping or a close frame. */
export class RawClient implements AsyncDisposable {
  private received = Buffer.alloc(0);
  private hasEnded = false;
  private wake: () => void = () => {};

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.hasEnded = true;
      this.wake();
    });
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connectTcp({ port, host: '127.0.0.1' });
    const client = new RawClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return client;
  }

  /** Connects and sends an upgrade request, good but for what the test changes. */
  static async upgrade(port: number, request: RawUpgrade = {}) {
    const { method = 'GET', path = '/ws', version = '1.1', headers = {} } = request;
    const client = await RawClient.connect(port);
    const all = {
      Host: `127.0.0.1:${port}`,
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
      ...headers,
    };
    const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
    client.socket.write(`${[`${method} ${path} HTTP/${version}`, ...lines].join('\r\n')}\r\n\r\n`);
    if (request.endsItsSide) client.socket.end();
    return client;
  }

  /** Bytes that nobody has asked for yet. */
  get unread(): number {
    return this.received.length;
  }

  /** The head of the server's answer. */
  async answer(): Promise<HttpAnswer> {
    const end = await this.until(() => this.received.indexOf('\r\n\r\n'));
    const [start = '', ...lines] = this.take(end + 4)
      .toString()
      .trim()
      .split('\r\n');
    const headers = lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.replace(/^[^:]*: */, ''),
    ]);
    return { status: Number(start.split(' ')[1]), headers: Object.fromEntries(headers) as Record<string, string> };
  }

  /** The next frame of the server, which sends whole and unmasked ones. */
  async frame(): Promise<Frame> {
    await this.until(() => (this.received.length >= 2 ? 0 : -1));
    const [first = 0, short = 0] = this.received;
    const headerLength = short < 126 ? 2 : short === 126 ? 4 : 10;
    await this.until(() => (this.received.length >= headerLength ? 0 : -1));
    const length = short < 126 ? short : this.received.readUIntBE(short === 126 ? 2 : 4, headerLength === 4 ? 2 : 6);
    await this.until(() => (this.received.length >= headerLength + length ? 0 : -1));
    return { opcode: first & 0x0f, payload: this.take(headerLength + length).subarray(headerLength) };
  }

  /** Reads the whole answer to an upgrade that is refused. */
  async outcome(): Promise<Outcome> {
    const answer = await this.answer();
    if (answer.status === 101) {
      const { payload } = await this.frame();
      return { ...answer, body: '', close: { code: payload.readUInt16BE(0), reason: payload.toString('utf8', 2) } };
    }
    const length = Number(answer.headers['content-length'] ?? 0);
    await this.until(() => (this.received.length >= length ? 0 : -1));
    return { ...answer, body: this.take(length).toString(), close: undefined };
  }

  /** Sends a masked frame. */
  send(payload: string | object | Buffer, opcode = 0x1): void {
    const bytes = Buffer.isBuffer(payload)
      ? payload
      : Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
    const length = bytes.length < 126 ? [0x80 | bytes.length] : [0xfe, bytes.length >> 8, bytes.length & 0xff];
    // A mask of zeros leaves the payload as it is.
    this.socket.write(Buffer.concat([Buffer.from([0x80 | opcode, ...length, 0, 0, 0, 0]), bytes]));
  }

  /** Resolves when the server has ended the TCP connection. */
  async closed(): Promise<void> {
    this.socket.resume();
    while (!this.hasEnded) await this.news();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await this.closed();
  }

  private take(length: number): Buffer {
    const taken = this.received.subarray(0, length);
    this.received = this.received.subarray(length);
    return taken;
  }

  /** Waits for bytes until `find` returns a position. */
  private async until(find: () => number): Promise<number> {
    for (;;) {
      const position = find();
      if (position >= 0) return position;
      if (this.hasEnded) throw new Error('The server ended the connection before it sent what was awaited');
      await this.news();
    }
  }

  private news(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }
}
