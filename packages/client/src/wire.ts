import type { Close } from './delays.js';
import type { Socket, SocketConstructor } from './environment.js';

export interface WireEvents {
  readonly onOpen: () => void;
  readonly onFrame: (frame: string | Uint8Array) => void;
  readonly onClose: (close: Close) => void;
}

const nothing = (): void => {};

/** One WebSocket. After `drop` it tells nothing more, whatever the socket still does. */
export class Wire {
  private readonly socket: Socket;

  /** @throws SyntaxError when the URL or a protocol is malformed */
  constructor(WebSocket: SocketConstructor, url: string, protocols: string[], events: WireEvents) {
    const socket = new WebSocket(url, protocols);
    this.socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => events.onOpen();
    socket.onmessage = ({ data }: { readonly data: unknown }) => {
      events.onFrame(data instanceof ArrayBuffer ? new Uint8Array(data) : String(data));
    };
    socket.onclose = ({ code, reason }: Partial<Close>) => {
      this.detach();
      events.onClose({ code: code ?? 1006, reason: reason ?? '' });
    };
    // A close event follows. What the error says is not for scripts to read.
    socket.onerror = nothing;
  }

  send(frame: string | Uint8Array): void {
    this.socket.send(frame);
  }

  /** Bytes that the network has not taken yet. */
  get unsent(): number {
    return this.socket.bufferedAmount;
  }

  drop(): void {
    this.detach();
    try {
      this.socket.close(1000);
    } catch {
      // Some implementations throw while the socket is still connecting. It is dropped either way.
      return;
    }
  }

  private detach(): void {
    // Functions, as `ws` throws an error event that nobody listens to.
    this.socket.onopen = nothing;
    this.socket.onmessage = nothing;
    this.socket.onclose = nothing;
    this.socket.onerror = nothing;
  }
}
