import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Server as TlsServer } from 'node:tls';
import { Settings } from '../../../config/settings.js';
import { clientAddress } from '../../access/limits/address-key.js';
import { ExemptAddresses } from '../../access/limits/exempt-addresses.js';
import { tcpOf } from '../../socket/traffic.js';
import { trustedPeers } from '../ladder/client-address.js';
import { applyDeadlines, checkEvery, MAX_HEADERS } from './http-deadlines.js';
import { answerFault, httpFaultOf, ignoreInput, type HttpFault } from './http-faults.js';
import { answersSent, hasBegunToAnswer } from './pending-answers.js';
import { useOriginForm } from '../ladder/request-target.js';
import { UpgradeEvents } from '../upgrade-events.js';

/** A TCP connection without a session. */
interface Guest {
  /** For a TLS server the connection below TLS, which exists before the handshake. */
  readonly socket: Socket;
  readonly isEncrypted: boolean;
  /** The key of its address. */
  readonly limitKey: string;
  /** Requests without a response yet. */
  inHand: number;
  newest: IncomingMessage | undefined;
  /** Since when the headers of the next request are awaited, on the performance.now() clock. */
  waitingSince: number;
  /** The bytes read by then; undefined before its first request. */
  readBefore: number | undefined;
  readonly leave: () => void;
}

/**
 * All TCP connections without a session: before an upgrade, or plain HTTP. Each has a deadline for the headers of its
 * next request, which Node does not enforce if an idle client sends empty lines. Their number is limited in total and
 * for each address, because each takes a file descriptor.
 */
@Injectable()
export class PendingConnections implements OnApplicationShutdown {
  private readonly guests = new Map<Duplex, Guest>();
  /** Connections whose next request is awaited, the longest first. */
  private readonly waiting = new Set<Guest>();
  /** Connections of TLS servers that were closed without an answer. */
  private readonly cutConnections = new WeakSet<Socket>();
  private readonly perAddress = new Map<string, number>();
  private readonly isTrusted: (address: string) => boolean;
  /** Runs while a request is awaited. */
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(Settings) private readonly settings: Pick<Settings, 'server' | 'upgrade'>,
    private readonly events: UpgradeEvents,
    private readonly exempt: ExemptAddresses,
  ) {
    this.isTrusted = trustedPeers(settings.server.trustProxy);
  }

  /** Number of connections, for metrics. */
  get size(): number {
    return this.guests.size;
  }

  /** Whether it was reported already: TLS sees only a client that has hung up. */
  wasCut(tcp: Socket): boolean {
    return this.cutConnections.has(tcp);
  }

  /** Call it for each HTTP or HTTPS server before it listens. */
  guard(server: Server): void {
    const { timeoutMs } = this.settings.upgrade;
    applyDeadlines(server, timeoutMs);
    const isEncrypted = server instanceof TlsServer;
    server.on('connection', (socket: Socket) => this.receive(socket, isEncrypted));
    // First, because a handler may answer at once.
    server.prependListener('request', (request, response) => {
      useOriginForm(request);
      this.attend(request, response);
    });
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.judge(error, socket));
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Its upgrade request is complete, or will get no further. Something else limits it from here. */
  heard(socket: Duplex): void {
    const guest = this.guestOf(socket);
    if (guest) this.waiting.delete(guest);
  }

  /** It has a session from here on. */
  admitted(socket: Duplex): void {
    const guest = this.guestOf(socket);
    if (guest) this.forget(guest);
  }

  /** Middleware that refuses a request with too many headers. */
  readonly limitHeaders = (request: IncomingMessage, response: ServerResponse, next: () => void): void => {
    if (request.rawHeaders.length <= MAX_HEADERS * 2) return next();
    this.tell('too_many_headers', request.socket);
    response.writeHead(431, { Connection: 'close', 'Content-Length': 0 }).end();
  };

  private receive(socket: Socket, isEncrypted: boolean): void {
    const { remoteAddress } = socket;
    // It has gone already, or did not come over a network.
    if (remoteAddress === undefined) return;
    // The same connection, given back by an upgrade that was none.
    const former = this.guests.get(socket);
    if (former) this.forget(former);
    const { limitKey } = clientAddress(remoteAddress);
    const { maxWaiting, maxWaitingPerIp } = this.settings.upgrade;
    const fromAddress = this.perAddress.get(limitKey) ?? 0;
    const newcomer = { socket, isEncrypted };
    if (exceeds(fromAddress, maxWaitingPerIp) && !this.isMany(remoteAddress))
      return this.cut(newcomer, 'too_many_waiting_from_address');
    if (exceeds(this.guests.size, maxWaiting) && !this.makeRoom()) return this.cut(newcomer, 'too_many_waiting');

    const guest: Guest = {
      socket,
      isEncrypted,
      limitKey,
      inHand: 0,
      newest: undefined,
      waitingSince: performance.now(),
      readBefore: undefined,
      leave: () => this.forget(guest),
    };
    this.guests.set(socket, guest);
    this.await(guest);
    this.perAddress.set(limitKey, (this.perAddress.get(limitKey) ?? 0) + 1);
    socket.on('close', guest.leave);
  }

  /** Whether an address stands for many clients, or is exempt from limits. */
  private isMany(address: string): boolean {
    return this.isTrusted(address) || this.exempt.has(address);
  }

  /** An honest client sends its request at once, so the one that has waited longest is the least likely to be one. */
  private makeRoom(): boolean {
    const [longest] = this.waiting;
    if (longest === undefined) return false;
    this.cut(longest, 'too_many_waiting');
    return true;
  }

  private attend(request: IncomingMessage, response: ServerResponse): void {
    const guest = this.guestOf(request.socket);
    if (guest === undefined) return;
    guest.inHand += 1;
    guest.newest = request;
    this.waiting.delete(guest);
    response.once('close', () => {
      guest.inHand -= 1;
      if (guest.newest === request) guest.newest = undefined;
      if (guest.inHand > 0 || this.guests.get(guest.socket) !== guest) return;
      guest.waitingSince = performance.now();
      guest.readBefore = guest.socket.bytesRead;
      this.await(guest);
    });
  }

  /** Its next request is awaited from now on. */
  private await(guest: Guest): void {
    const { timeoutMs } = this.settings.upgrade;
    this.waiting.add(guest);
    if (timeoutMs > 0) this.timer ??= setInterval(() => this.sweepSoon(), checkEvery(timeoutMs)).unref();
  }

  /** Errors that Node finds in the input of a client. */
  private judge(error: NodeJS.ErrnoException, socket: Duplex): void {
    const fault = httpFaultOf(error);
    // Reported already, by the sweep below or by a response that asks it to go.
    if (socket.writableEnded) return;
    if (fault === undefined || socket.destroyed) {
      socket.destroy();
      return;
    }
    this.heard(socket);
    this.tell(fault, socket as Socket);
    // Behind whole requests: their responses come first.
    if (this.guestOf(socket)?.newest?.complete) void this.answerNext(socket, fault);
    else if (hasBegunToAnswer(socket)) socket.destroy();
    else answerFault(socket, fault);
  }

  private async answerNext(socket: Duplex, fault: HttpFault): Promise<void> {
    ignoreInput(socket);
    await answersSent(socket);
    if (!socket.destroyed && !socket.writableEnded) answerFault(socket, fault);
  }

  /** After pending input: after a stall, timers run before anything is read. */
  private sweepSoon(): void {
    if (this.waiting.size === 0) this.onApplicationShutdown();
    else setImmediate(() => this.sweep(performance.now()));
  }

  private sweep(now: number): void {
    const { timeoutMs } = this.settings.upgrade;
    for (const guest of this.waiting) {
      if (now - guest.waitingSince < timeoutMs) return;
      this.waiting.delete(guest);
      const { socket } = guest;
      // It got its response and has not sent another request, which is no fault.
      const isIdle = socket.bytesRead === guest.readBefore;
      if (!isIdle) this.tell('request_timeout', socket);
      if (guest.isEncrypted) this.cutConnections.add(socket);
      if (isIdle || guest.isEncrypted) socket.destroy();
      else answerFault(socket, 'request_timeout');
    }
  }

  /** Without an answer: a client that fills the server with connections must not cost it an answer as well. */
  private cut({ socket, isEncrypted }: Pick<Guest, 'socket' | 'isEncrypted'>, fault: HttpFault): void {
    this.tell(fault, socket);
    const guest = this.guestOf(socket);
    if (guest) this.forget(guest);
    socket.on('error', () => {});
    if (!isEncrypted) return void socket.resetAndDestroy();
    this.cutConnections.add(socket);
    socket.destroy();
  }

  private tell(fault: HttpFault, { remoteAddress = '' }: Socket): void {
    this.events.emit('cut', fault, clientAddress(remoteAddress).address);
  }

  private guestOf(socket: Duplex): Guest | undefined {
    return this.guests.get(tcpOf(socket));
  }

  private forget(guest: Guest): void {
    if (this.guests.get(guest.socket) !== guest) return;
    this.guests.delete(guest.socket);
    this.waiting.delete(guest);
    guest.socket.off('close', guest.leave);
    const left = (this.perAddress.get(guest.limitKey) ?? 0) - 1;
    if (left > 0) this.perAddress.set(guest.limitKey, left);
    else this.perAddress.delete(guest.limitKey);
  }
}

function exceeds(count: number, limit: number): boolean {
  return limit > 0 && count >= limit;
}
