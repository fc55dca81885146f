import type { HelloReply } from '@gatehouse/protocol';
import type { Codec } from './codec.js';
import type { Close } from './delays.js';
import type { Environment } from './environment.js';
import { isObject, readIncoming, type Incoming } from './incoming.js';
import { Pulse } from './pulse.js';
import { Wire } from './wire.js';

export interface ConnectionHost extends Environment {
  readonly codec: Codec;
  readonly maxFrameLength: number;
  onMessage(message: Incoming): void;
  /** Something arrived that cannot be read: it may have been a publication. */
  distrust(cause: unknown): void;
}

export interface ConnectionEvents {
  /** Without what it says about the session, the server has no such message, and its limits are unknown. */
  onHello(hello: HelloReply | undefined): void;
  /** It has closed, does not open, or is dead. */
  onEnd(close: Close): void;
}

const HELLO_ID = 'hello';

/** One connection, from the dial to its end: its handshake, its frames, and whether it is alive. */
export class Connection {
  private readonly _wire: Wire;
  private readonly _pulse: Pulse;
  private _isGreeted = false;
  private _isDropped: true | undefined;

  /** @throws TypeError where there is no WebSocket, SyntaxError when the URL or the token is malformed */
  constructor(
    private readonly _host: ConnectionHost,
    url: string,
    token: string | undefined,
    private readonly _events: ConnectionEvents,
  ) {
    const { WebSocket, clock, codec } = _host;
    if (!WebSocket) throw new TypeError('no WebSocket');
    this._pulse = new Pulse(clock, {
      ping: () => void this.send(codec.encode({ type: 'ping', id: 'ping' })),
      onDead: () => _events.onEnd({ code: 1006, reason: 'No answer to a ping' }),
    });
    const protocols = [codec.subprotocol, token ? `bearer.${token}` : []].flat();
    this._wire = new Wire(WebSocket, url, protocols, {
      onOpen: () => void this.send(codec.encode({ type: 'hello', id: HELLO_ID })),
      onFrame: (frame) => this._onFrame(frame),
      onClose: (close) => _events.onEnd(close),
    });
  }

  /** @returns whether the frame went out */
  send(frame: string | Uint8Array): boolean {
    try {
      this._wire.send(frame);
      return true;
    } catch {
      // The socket is closing. Its close event tells the rest.
      return false;
    }
  }

  probe(): void {
    this._pulse.probe();
  }

  drop(): void {
    this._isDropped = true;
    this._pulse.stop();
    this._wire.drop();
  }

  private _onFrame(frame: string | Uint8Array): void {
    const { codec, maxFrameLength } = this._host;
    this._pulse.heard();
    const values = this._read(() => {
      if (frame.length > maxFrameLength) throw new RangeError('maxFrameLength');
      return [codec.decode(frame)].flat();
    });
    for (const value of values ?? []) {
      // What was told so far may have ended the connection.
      if (this._isDropped) return;
      const message = this._read(() => readIncoming(value));
      if (message) this._onMessage(message);
    }
  }

  /** One message of a list that cannot be read keeps nothing from the others. */
  private _read<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (cause) {
      this._host.distrust(cause);
      return undefined;
    }
  }

  private _onMessage(message: Incoming): void {
    const { _host: host } = this;
    if (this._isGreeted || message.id !== HELLO_ID) return host.onMessage(message);
    this._isGreeted = true;
    const hello = isHello(message.data) ? message.data : undefined;
    this._pulse.start(hello?.heartbeat);
    this._events.onHello(hello);
  }
}

function isHello(data: unknown): data is HelloReply {
  if (!isObject(data) || typeof data.sessionId !== 'string' || typeof data.serverTime !== 'number') return false;
  return isObject(data.heartbeat) && isObject(data.limits);
}
