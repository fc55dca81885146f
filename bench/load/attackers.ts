import { randomBytes, randomInt } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { dialects } from './dialects.js';
import { clientFrame, opcodes } from './frames.js';
import type { ServerAccess } from './job.js';
import { signToken } from './token.js';

/** File descriptors, and what the load process may hold. */
const mostSockets = 1_500;
const trickleEveryMs = 1_000;
/** After this an attacker gives up by itself and another one takes its place. */
const longestMs = 20_000;

const many = (count: number, frame: Buffer): Buffer => Buffer.concat(Array.from({ length: count }, () => frame));
const message = (type: string, data: unknown): Buffer => clientFrame(dialects.gatehouse.message(type, 1, data));

const echoes = many(300, message('echo', { text: 'flood' }));
const largeEchoes = many(64, message('echo', { text: 'x'.repeat(32_768) }));
const pings = many(2_000, clientFrame('', opcodes.ping));
const emptyFragments = Buffer.concat([
  Buffer.from([0x01, 0x80, 0, 0, 0, 0]),
  many(6_000, Buffer.from([0, 0x80, 0, 0, 0, 0])),
]);
/** A megabyte is announced, half of it comes. */
const halfMessage = Buffer.concat([
  Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0]),
  Buffer.alloc(524_288, 'x'),
]);

const kinds = [
  'storm',
  'bad_token',
  'slowloris',
  'flood',
  'malformed',
  'slow_reader',
  'ping_flood',
  'fragments',
  'half_message',
] as const;
type Kind = (typeof kinds)[number];

/** A mixed attack: one attacker a step, each from an address of its own in 127.0.0.0/8. */
export class Attackers {
  readonly steps = new Map<Kind, number>(kinds.map((kind) => [kind, 0]));
  private readonly sockets = new Set<Socket>();
  private readonly tokens: string[];
  private next = 0;

  constructor(private readonly server: ServerAccess) {
    this.tokens = Array.from({ length: 200 }, (_, user) => signToken(server.tokenKey, `mallory-${user}`, ['MEMBER']));
  }

  get open(): number {
    return this.sockets.size;
  }

  /** One more attacker, the kinds in turn. */
  step(): void {
    if (this.sockets.size >= mostSockets) return;
    const kind = kinds[this.next++ % kinds.length] ?? 'storm';
    this.steps.set(kind, (this.steps.get(kind) ?? 0) + 1);
    this[kind]();
  }

  stop(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  private storm(): void {
    const socket = this.connect(this.request(null));
    socket.on('data', () => socket.destroy());
  }

  private bad_token(): void {
    const socket = this.connect(this.request(randomBytes(60).toString('base64url')));
    socket.on('data', () => socket.destroy());
  }

  private slowloris(): void {
    this.trickle(this.connect('GET /ws HTTP/1.1\r\nHost: x\r\nX-Slow: '), 'x');
  }

  private flood(): void {
    this.session((socket) => {
      const timer = setInterval(() => socket.write(echoes), 500);
      socket.on('close', () => clearInterval(timer));
      socket.write(echoes);
    });
  }

  private malformed(): void {
    this.session((socket) => socket.write(many(30, clientFrame(randomBytes(40).toString('base64')))));
  }

  private slow_reader(): void {
    this.session((socket) => {
      socket.pause();
      socket.write(largeEchoes);
    });
  }

  private ping_flood(): void {
    this.session((socket) => socket.write(pings));
  }

  private fragments(): void {
    this.session((socket) => socket.write(emptyFragments));
  }

  private half_message(): void {
    this.session((socket) => {
      socket.write(halfMessage);
      this.trickle(socket, 'x');
    });
  }

  /** A connection that was let in, and what it does then. */
  private session(act: (socket: Socket) => void): void {
    const socket = this.connect(this.request(this.tokens[randomInt(this.tokens.length)] ?? null));
    socket.once('data', () => act(socket));
  }

  private trickle(socket: Socket, byte: string): void {
    const timer = setInterval(() => socket.write(byte), trickleEveryMs);
    socket.on('close', () => clearInterval(timer));
  }

  private connect(first: string): Socket {
    const localAddress = `127.${randomInt(2, 255)}.${randomInt(256)}.${randomInt(1, 255)}`;
    const socket = connect({ host: '127.0.0.1', port: this.server.port, localAddress });
    this.sockets.add(socket);
    const end = setTimeout(() => socket.destroy(), longestMs);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(end);
      this.sockets.delete(socket);
    });
    socket.resume();
    socket.write(first);
    return socket;
  }

  private request(token: string | null): string {
    return [
      'GET /ws HTTP/1.1',
      'Host: 127.0.0.1',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      ...(token === null ? [] : [`Authorization: Bearer ${token}`]),
      '\r\n',
    ].join('\r\n');
  }
}
