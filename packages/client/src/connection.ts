import type { HelloReply } from '@gatehouse/protocol';
import type { Codec } from './codec.js';
import type { Close } from './delays.js';
import type { Environment } from './environment.js';
import { isObject, readIncoming, type Incoming } from './incoming.js';
import { Pulse, type PulseEvents } from './pulse.js';
import { Wire, type WireEvents } from './wire.js';

export interface ConnectionHost extends Environment {
  readonly codec: Codec;
  readonly options: { readonly maxFrameLength?: number | undefined };
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

const MAX_FRAME_LENGTH = 16 * 1_024 * 1_024;

/** One connection, from the dial to its end: its handshake, its frames, and whether it is alive. */
export class Connection implements PulseEvents, WireEvents {
  private readonly _wire: Wire;
  private readonly _pulse: Pulse;
  private _isGreeted = false;
  private _isDropped = false;

  /** @throws TypeError where there is no WebSocket, SyntaxError when the URL or the token is malformed */
  constructor(
    private readonly _host: ConnectionHost,
    url: string,
    token: string | undefined,
    private readonly _events: ConnectionEvents,
  ) {
    const { WebSocket, clock, codec } = _host;
    if (!WebSocket) throw new TypeError('no WebSocket');
    this._pulse = new Pulse(clock, this);
    const protocols = [codec.subprotocol, token ? `bearer.${token}` : []].flat();
    this._wire = new Wire(WebSocket, url, protocols, this);
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

  onOpen(): void {
    this._ask('hello');
  }

  onSilence(): void {
    this._ask('ping');
  }

  onClose(close: Close): void {
    this._events.onEnd(close);
  }

  probe(): void {
    this._pulse.probe();
  }

  drop(): void {
    this._isDropped = true;
    this._pulse.stop();
    this._wire.drop();
  }

  onFrame(frame: string | Uint8Array): void {
    const { codec, options } = this._host;
    this._pulse.heard();
    const values = this._read(() => {
      if (frame.length > (options.maxFrameLength ?? MAX_FRAME_LENGTH)) throw new RangeError('maxFrameLength');
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

  /** Sends a message without data, whose type is its id, too. */
  private _ask(type: 'hello' | 'ping'): void {
    this.send(this._host.codec.encode({ type, id: type }));
  }

  private _onMessage(message: Incoming): void {
    const { _host: host } = this;
    if (this._isGreeted || message.id !== 'hello') return host.onMessage(message);
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
