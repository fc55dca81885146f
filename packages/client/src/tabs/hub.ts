import type { Close } from '../delays.js';
import type { SocketConstructor } from '../environment.js';
import { isObject } from '../incoming.js';
import { Wire } from '../wire.js';
import type { FromHub, ToHub } from './messages.js';

interface Frame extends Record<string, unknown> {
  readonly type: string;
  readonly id?: unknown;
  readonly channel?: unknown;
  readonly data?: unknown;
}

/** What one socket of a tab has subscribed to, and whether it wants presence. */
type Subscriptions = Map<string, { readonly presence: boolean }>;

/** In the tab that leads: one connection for the sockets of all tabs. */
export class Hub {
  private _wire: Wire | undefined;
  private _isOpen = false;
  private readonly _members = new Map<string, Subscriptions>();
  /** The subscribes under way, by the id that the server sees. */
  private readonly _asked = new Map<string, string>();

  constructor(
    private readonly _url: string,
    private readonly _WebSocket: SocketConstructor,
    private readonly _tell: (message: FromHub) => void,
  ) {}

  receive(message: ToHub): void {
    if (message.kind === 'open') this._join(message.socket, message.protocols);
    else if (message.kind === 'close') this.leave(message.socket);
    else this._forward(message.socket, message.data);
  }

  leave(socket: string): void {
    const channels = this._members.get(socket)?.keys() ?? [];
    if (!this._members.delete(socket)) return;
    for (const channel of channels) {
      if (!this._isWanted(channel)) this._send({ type: 'unsubscribe', id: `|${channel.length}`, data: { channel } });
    }
    if (this._members.size === 0) this.drop();
  }

  /** Ends the connection, and tells all tabs. */
  end(close: Close): void {
    this.drop();
    const sockets = [...this._members.keys()];
    this._members.clear();
    this._asked.clear();
    for (const socket of sockets) this._tell({ kind: 'closed', socket, ...close });
  }

  /** Ends the connection, and tells nobody: the tabs follow another. */
  drop(): void {
    this._wire?.drop();
    this._wire = undefined;
    this._isOpen = false;
  }

  private _join(socket: string, protocols: readonly string[]): void {
    this._members.set(socket, new Map());
    if (this._isOpen) return this._tell({ kind: 'opened', socket });
    this._wire ??= new Wire(this._WebSocket, this._url, [...protocols], {
      onOpen: () => {
        this._isOpen = true;
        for (const member of this._members.keys()) this._tell({ kind: 'opened', socket: member });
      },
      onFrame: (frame) => this._onFrame(String(frame)),
      onClose: (close) => this.end(close),
    });
  }

  private _forward(socket: string, data: string): void {
    const channels = this._members.get(socket);
    if (channels === undefined) return;
    const frame = JSON.parse(data) as Frame;
    const { channel, presence } = (isObject(frame.data) ? frame.data : {}) as { channel?: string; presence?: boolean };
    const id = `${socket}|${String(frame.id)}`;
    if (channel === undefined || (frame.type !== 'subscribe' && frame.type !== 'unsubscribe'))
      return this._send({ ...frame, id });
    if (frame.type === 'subscribe') {
      channels.set(channel, { presence: presence ?? false });
      this._asked.set(id, channel);
      const wanted = [...this._members.values()].some((one) => one.get(channel)?.presence === true);
      return this._send({ ...frame, id, data: { ...(frame.data as object), presence: wanted } });
    }
    channels.delete(channel);
    if (!this._isWanted(channel)) return this._send({ ...frame, id });
    const reply = JSON.stringify({ v: 1, type: 'unsubscribe_reply', id: frame.id, data: { channel } });
    this._tell({ kind: 'received', socket, data: reply });
  }

  private _onFrame(data: string): void {
    const frame = readFrame(data);
    // What cannot be read goes to all: each tab tells its user, and knows what may be lost.
    if (typeof frame?.id !== 'string' || !frame.id.includes('|')) return this._spread(data, frame?.channel);
    const at = frame.id.indexOf('|');
    const socket = frame.id.slice(0, at);
    const channel = this._asked.get(frame.id);
    this._asked.delete(frame.id);
    if (channel !== undefined) this._onSubscribed(socket, channel, frame);
    if (this._members.has(socket))
      this._tell({ kind: 'received', socket, data: JSON.stringify({ ...frame, id: frame.id.slice(at + 1) }) });
  }

  /** What the server sends again for one tab, it has left out of what the others get. They know by position what they have. */
  private _onSubscribed(socket: string, channel: string, { type, data }: Frame): void {
    if (type === 'error') return void this._members.get(socket)?.delete(channel);
    const { epoch, gap, publications } = isObject(data) ? data : {};
    if (typeof epoch !== 'string') return;
    const others = [...this._members.keys()].filter((one) => one !== socket);
    const all = [
      ...(gap ? [{ type: 'gap', data: gap }] : []),
      ...(Array.isArray(publications) ? publications : []).map((one: object) => ({ ...one, type: 'message' })),
    ];
    for (const one of all) this._spread(JSON.stringify({ ...one, v: 1, channel, epoch }), channel, others);
  }

  private _spread(data: string, channel: unknown, sockets: Iterable<string> = this._members.keys()): void {
    for (const socket of sockets) {
      if (typeof channel !== 'string' || this._members.get(socket)?.has(channel) === true)
        this._tell({ kind: 'received', socket, data });
    }
  }

  private _isWanted(channel: string): boolean {
    return [...this._members.values()].some((channels) => channels.has(channel));
  }

  private _send(frame: object): void {
    if (this._isOpen) this._wire?.send(JSON.stringify(frame));
  }
}

/** @returns undefined if it is no JSON object */
function readFrame(data: string): Frame | undefined {
  try {
    const frame: unknown = JSON.parse(data);
    return isObject(frame) ? (frame as Frame) : undefined;
  } catch {
    return undefined;
  }
}
