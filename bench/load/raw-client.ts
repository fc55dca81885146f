import { connect, type Socket } from 'node:net';
import { dataFrame, type Dialect } from './dialects.js';
import { clientFrame, FrameCounter, opcodes } from './frames.js';

export interface Endpoint {
  readonly port: number;
  readonly dialect: Dialect;
  readonly token: string | null;
  /** Source address; several of them spread many connections over several port ranges. */
  readonly localAddress?: string;
  /** How long the handshake may take. */
  readonly deadlineMs?: number;
}

/** One read buffer for all sockets: a chunk is done with before the next socket is read. */
const readBuffer = Buffer.allocUnsafeSlow(256 * 1024);
const defaultDeadlineMs = 20_000;
const closeFrame = clientFrame(Buffer.from([0x03, 0xe8]), opcodes.close);

/** A WebSocket client that does next to nothing, so that the server is what gets measured. */
export class RawClient {
  onMessages: (count: number) => void = () => undefined;
  onBody: ((body: Buffer) => void) | null = null;
  onClosed: () => void = () => undefined;
  closed = false;
  /** All that has arrived, with the heads of frames. */
  bytesRead = 0;
  /** The code of the server's close frame, or 0. */
  closeCode = 0;
  closeReason = '';
  readonly frames: FrameCounter;
  private readonly socket: Socket;
  private head: Buffer | null = Buffer.alloc(0);
  private settle: (error?: Error) => void = () => undefined;

  private constructor(private readonly endpoint: Endpoint) {
    const { port, dialect, localAddress } = endpoint;
    this.frames = new FrameCounter(
      {
        onFrame: (opcode, body) => this.handleFrame(opcode, body),
        onHeartbeat: () => this.send(clientFrame(dialect.heartbeatAnswer ?? '')),
      },
      dialect.heartbeatAnswer !== null,
    );
    this.socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      ...(localAddress === undefined ? {} : { localAddress }),
      onread: { buffer: readBuffer, callback: (length) => this.read(readBuffer.subarray(0, length)) },
    });
    this.socket.on('connect', () => this.socket.write(upgradeRequest(endpoint)));
    this.socket.on('error', (error) => this.settle(error));
    this.socket.on('close', () => this.handleClosed());
  }

  static open(endpoint: Endpoint): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const client = new RawClient(endpoint);
      const deadline = setTimeout(
        () => client.settle(new Error('no handshake in time')),
        endpoint.deadlineMs ?? defaultDeadlineMs,
      );
      client.settle = (error) => {
        clearTimeout(deadline);
        client.settle = () => undefined;
        if (!error) return resolve(client);
        client.destroy();
        reject(error);
      };
    });
  }

  send(frame: Buffer): void {
    if (!this.closed) this.socket.write(frame);
  }

  /** Stops reading for good or until `resume`; the server's writes pile up. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** The closing handshake; the promise resolves when the server has let the connection go. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.onClosed = resolve;
      if (this.closed) resolve();
      else this.socket.write(closeFrame);
    });
  }

  private read(chunk: Buffer): boolean {
    this.bytesRead += chunk.length;
    if (this.head) this.readHead(chunk);
    else this.count(chunk);
    return true;
  }

  private count(chunk: Buffer): void {
    const messages = this.frames.read(chunk);
    if (messages > 0) this.onMessages(messages);
  }

  private readHead(chunk: Buffer): void {
    const head = Buffer.concat([this.head ?? Buffer.alloc(0), chunk]);
    this.head = head;
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    const statusLine = head.subarray(0, head.indexOf('\r\n')).toString('latin1');
    if (!statusLine.startsWith('HTTP/1.1 101')) return this.settle(new Error(`refused: ${statusLine}`));
    this.head = null;
    const { dialect } = this.endpoint;
    if (dialect.greeting === null) this.opened();
    else this.send(dataFrame(dialect, dialect.greeting.send));
    if (end + 4 < head.length) this.count(head.subarray(end + 4));
  }

  private opened(): void {
    this.frames.keepBodies = false;
    this.settle();
  }

  private handleFrame(opcode: number, body: Buffer): void {
    if (opcode === opcodes.ping) return this.send(clientFrame(body, opcodes.pong));
    if (opcode === opcodes.close) {
      this.closeCode = body.length >= 2 ? body.readUInt16BE(0) : 1005;
      this.closeReason = body.toString('utf8', 2);
      this.socket.end();
      return;
    }
    if (opcode !== opcodes.text && opcode !== opcodes.binary) return;
    if (this.onBody) return this.onBody(body);
    const { greeting } = this.endpoint.dialect;
    if (greeting !== null && body.indexOf(greeting.answer) === 0) this.opened();
  }

  private handleClosed(): void {
    this.closed = true;
    this.settle(new Error('closed during the handshake'));
    this.onClosed();
  }
}

function upgradeRequest({ port, dialect, token }: Endpoint): string {
  return [
    `GET ${dialect.path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...(dialect.offersDeflate ? ['Sec-WebSocket-Extensions: permessage-deflate'] : []),
    ...(dialect.subprotocol === null ? [] : [`Sec-WebSocket-Protocol: ${dialect.subprotocol}`]),
    ...(token === null ? [] : [`Authorization: Bearer ${token}`]),
    '\r\n',
  ].join('\r\n');
}
