import type { Close } from './delays.js';
import type { Socket, SocketConstructor } from './environment.js';

export interface WireEvents {
  onOpen(): void;
  onFrame(frame: string | Uint8Array): void;
  onClose(close: Close): void;
}

const nothing = (): void => {};

/** One WebSocket. After `drop` it tells nothing more, whatever the socket still does. */
export class Wire {
  private readonly _socket: Socket;

  /** @throws SyntaxError when the URL or a protocol is malformed */
  constructor(WebSocket: SocketConstructor, url: string, protocols: string[], events: WireEvents) {
    const socket = new WebSocket(url, protocols);
    this._socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => events.onOpen();
    socket.onmessage = ({ data }: { readonly data: unknown }) => {
      events.onFrame(data instanceof ArrayBuffer ? new Uint8Array(data) : String(data));
    };
    socket.onclose = ({ code = 1006, reason = '' }: Partial<Close>) => {
      this._detach();
      events.onClose({ code, reason });
    };
    // A close event follows. What the error says is not for scripts to read.
    socket.onerror = nothing;
  }

  send(frame: string | Uint8Array): void {
    this._socket.send(frame);
  }

  drop(): void {
    this._detach();
    try {
      this._socket.close(1000);
    } catch {
      // Some implementations throw while the socket is still connecting. It is dropped either way.
      return;
    }
  }

  private _detach(): void {
    const { _socket: socket } = this;
    // A function, as `ws` throws an error event that nobody listens to.
    socket.onopen = socket.onmessage = socket.onclose = socket.onerror = nothing;
  }
}
