import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';

/** A port, or what chooses one. Undefined: no server is up, and the connection is refused. */
type Target = number | (() => number | undefined);

/** A bad network between a client and a server. `await using` ends it. */
export class TcpProxy implements AsyncDisposable {
  /** How long every byte is under way, in each direction. */
  delayMs = 0;
  /** Whether bytes arrive one by one. */
  slices = false;
  /** Whether who connects is cut off at once. */
  refuses = false;
  /** Called for each connection. Returns what changes the bytes of the server on their way. */
  answers: () => (bytes: Buffer) => Buffer = () => (bytes) => bytes;
  private readonly sockets = new Set<Socket>();
  private silence: Promise<void> | undefined;
  private endSilence: () => void = () => {};
  private readonly server = createServer((client) => this.accept(client));

  /** @param target where new connections lead; changes as a virtual address does that moves to another server */
  private constructor(public target: Target) {}

  /** @param target the port of the server on this machine, or what chooses one for each connection, as a load balancer does */
  static async start(target: Target): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** How many clients are connected. */
  get connections(): number {
    return this.sockets.size / 2;
  }

  /** A black hole: connections stay, new ones are accepted, and nothing arrives. */
  swallow(): void {
    this.silence ??= new Promise((resolve) => {
      this.endSilence = resolve;
    });
  }

  /** Ends the black hole: what was swallowed arrives late, as TCP would send it again. Call `cut` before, and it never does. */
  restore(): void {
    this.silence = undefined;
    this.endSilence();
  }

  /** Ends all connections, without a word. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.cut();
    this.restore();
    await closed;
  }

  private accept(client: Socket): void {
    const port = typeof this.target === 'function' ? this.target() : this.target;
    if (this.refuses || port === undefined) {
      client.destroy();
      return;
    }
    const server = connect(port, '127.0.0.1');
    this.carry(client, server, (bytes) => bytes);
    this.carry(server, client, this.answers());
  }

  private carry(from: Socket, to: Socket, change: (bytes: Buffer) => Buffer): void {
    this.sockets.add(from);
    from.setNoDelay(true);
    let last = Promise.resolve();
    from.on('data', (bytes: Buffer) => {
      const dueAt = performance.now() + this.delayMs;
      last = last.then(() => this.deliver(change(bytes), to, dueAt));
    });
    from.on('end', () => {
      last = last.then(() => void to.end());
    });
    from.on('error', () => {});
    from.on('close', () => {
      this.sockets.delete(from);
      // What had arrived before goes on its way.
      void last.then(() => to.destroy());
    });
  }

  private async deliver(bytes: Buffer, to: Socket, dueAt: number): Promise<void> {
    const wait = dueAt - performance.now();
    if (wait > 0) await pause(wait);
    while (this.silence) await this.silence;
    if (!this.slices) {
      to.write(bytes);
      return;
    }
    for (const byte of bytes) {
      to.write(Buffer.of(byte));
      await turn();
    }
  }
}
