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
  private wire: Wire | undefined;
  private isOpen = false;
  private readonly members = new Map<string, Subscriptions>();
  /** The subscribes under way, by the id that the server sees. */
  private readonly asked = new Map<string, string>();

  constructor(
    private readonly url: string,
    private readonly WebSocket: SocketConstructor,
    private readonly tell: (message: FromHub) => void,
  ) {}

  receive(message: ToHub): void {
    if (message.kind === 'open') this.join(message.socket, message.protocols);
    else if (message.kind === 'close') this.leave(message.socket);
    else this.forward(message.socket, message.data);
  }

  leave(socket: string): void {
    const channels = this.members.get(socket)?.keys() ?? [];
    if (!this.members.delete(socket)) return;
    for (const channel of channels) {
      if (!this.isWanted(channel)) this.send({ type: 'unsubscribe', id: `|${channel.length}`, data: { channel } });
    }
    if (this.members.size === 0) this.drop();
  }

  /** Ends the connection, and tells all tabs. */
  end(close: Close): void {
    this.drop();
    const sockets = [...this.members.keys()];
    this.members.clear();
    this.asked.clear();
    for (const socket of sockets) this.tell({ kind: 'closed', socket, ...close });
  }

  private drop(): void {
    this.wire?.drop();
    this.wire = undefined;
    this.isOpen = false;
  }

  private join(socket: string, protocols: readonly string[]): void {
    this.members.set(socket, new Map());
    if (this.isOpen) return this.tell({ kind: 'opened', socket });
    this.wire ??= new Wire(this.WebSocket, this.url, [...protocols], {
      onOpen: () => {
        this.isOpen = true;
        for (const member of this.members.keys()) this.tell({ kind: 'opened', socket: member });
      },
      onFrame: (frame) => this.onFrame(String(frame)),
      onClose: (close) => this.end(close),
    });
  }

  private forward(socket: string, data: string): void {
    const channels = this.members.get(socket);
    if (channels === undefined) return;
    const frame = JSON.parse(data) as Frame;
    const { channel, presence } = (isObject(frame.data) ? frame.data : {}) as { channel?: string; presence?: boolean };
    const id = `${socket}|${String(frame.id)}`;
    if (channel === undefined || (frame.type !== 'subscribe' && frame.type !== 'unsubscribe'))
      return this.send({ ...frame, id });
    if (frame.type === 'subscribe') {
      channels.set(channel, { presence: presence ?? false });
      this.asked.set(id, channel);
      const wanted = [...this.members.values()].some((one) => one.get(channel)?.presence === true);
      return this.send({ ...frame, id, data: { ...(frame.data as object), presence: wanted } });
    }
    channels.delete(channel);
    if (!this.isWanted(channel)) return this.send({ ...frame, id });
    const reply = JSON.stringify({ v: 1, type: 'unsubscribe_reply', id: frame.id, data: { channel } });
    this.tell({ kind: 'received', socket, data: reply });
  }

  private onFrame(data: string): void {
    const frame = JSON.parse(data) as Frame;
    if (typeof frame.id !== 'string' || !frame.id.includes('|')) return this.spread(data, frame.channel);
    const at = frame.id.indexOf('|');
    const socket = frame.id.slice(0, at);
    const channel = this.asked.get(frame.id);
    this.asked.delete(frame.id);
    if (channel !== undefined) this.onSubscribed(socket, channel, frame);
    if (this.members.has(socket))
      this.tell({ kind: 'received', socket, data: JSON.stringify({ ...frame, id: frame.id.slice(at + 1) }) });
  }

  /** What the server sends again for one tab, it has left out of what the others get. They know by position what they have. */
  private onSubscribed(socket: string, channel: string, { type, data }: Frame): void {
    if (type === 'error') return void this.members.get(socket)?.delete(channel);
    const { epoch, gap, publications } = data as { epoch?: string; gap?: object; publications?: object[] };
    if (epoch === undefined) return;
    const others = [...this.members.keys()].filter((one) => one !== socket);
    const all = [
      ...(gap ? [{ type: 'gap', data: gap }] : []),
      ...(publications ?? []).map((one) => ({ ...one, type: 'message' })),
    ];
    for (const one of all) this.spread(JSON.stringify({ ...one, v: 1, channel, epoch }), channel, others);
  }

  private spread(data: string, channel: unknown, sockets: Iterable<string> = this.members.keys()): void {
    for (const socket of sockets) {
      if (typeof channel !== 'string' || this.members.get(socket)?.has(channel) === true)
        this.tell({ kind: 'received', socket, data });
    }
  }

  private isWanted(channel: string): boolean {
    return [...this.members.values()].some((channels) => channels.has(channel));
  }

  private send(frame: object): void {
    if (this.isOpen) this.wire?.send(JSON.stringify(frame));
  }
}
