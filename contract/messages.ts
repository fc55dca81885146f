// The messages of this server, written from its code. Do not edit: run `npm run contract`.

/** Everything that clients and server say to each other. */
export interface Contract {
  /** What clients send, and what they are answered. */
  requests: {
    'area': { data: LookAtArea; reply: AreaView };
    'area.next': { data: ReadState; reply: AreaCells };
    'auth_refresh': { data: AuthRefresh; reply: TokenExpiry };
    'broadcast': { data: unknown; reply: undefined };
    'echo': { data: unknown; reply: unknown };
    'hello': { data: undefined; reply: Hello };
    'history': { data: ReadHistory; reply: ChannelHistory };
    'ping': { data: undefined; reply: Pong };
    'presence': { data: ReadPresence; reply: ChannelMembers };
    'publish': { data: Publish; reply: Published };
    'send_message': { data: SendMessage; reply: SendResult };
    'state.next': { data: ReadState; reply: StatePage };
    'state.remove': { data: RemoveState; reply: StateChanged };
    'state.set': { data: SetState; reply: StateChanged };
    'subscribe': { data: Subscribe; reply: Subscription };
    'tap.start': { data: StartTap; reply: TapStarted };
    'tap.stop': { data: undefined; reply: TapStopped };
    'unsubscribe': { data: Unsubscribe; reply: Unsubscribed };
  };
  /** What the server sends by itself: type → data. */
  events: {
    'broadcast': unknown;
    'direct_message': DirectMessage;
    'gap': ChannelGap;
    'presence': PresenceChange;
    'state': StatePart;
    'tap.end': TapEnd;
    'tap.line': TapLine;
    'unsubscribed': SubscriptionLoss;
  };
  /** What is published in channels: pattern → data. */
  channels: {
    'feed:*': unknown;
    'fleet:*': unknown;
    'room:*': unknown;
    'telemetry:*': unknown;
    'twin:*': unknown;
    'user:*': unknown;
  };
}

export interface AreaCells {
  channel: string;
  cells: CellValues[];
  more?: boolean;
}

export interface AreaGrid {
  cell: number;
  maxCells: number;
  wrap: number;
}

export interface AreaView {
  entered: string[];
  left: string[];
  grid: AreaGrid;
  channel: string;
  cells: CellValues[];
  more?: boolean;
}

export interface AuthRefresh {
  token: string;
}

export interface CellValues {
  cell: string;
  epoch: string;
  seq: number;
  state: Record<string, unknown>;
  versions: Record<string, unknown>;
}

export interface ChannelGap {
  from: number | null;
  to: number;
}

export interface ChannelHistory {
  publications: PublicationInReply[];
  epoch?: string;
  seq?: number;
}

export interface ChannelMember {
  sessionId: string;
  userId: string;
}

export interface ChannelMembers {
  members: ChannelMember[];
  count: number;
}

export interface ConnectionLimits {
  idleMs: number;
  maxAgeMs: number;
}

export interface DirectMessage {
  from: MessageSender;
  message: unknown;
}

export interface HeartbeatTimes {
  intervalMs: number;
  timeoutMs: number;
}

export interface Hello {
  sessionId: string;
  nodeId: string;
  userId: string | null;
  roles: string[];
  protocol: string;
  heartbeat: HeartbeatTimes;
  connection?: ConnectionLimits;
  limits: SessionLimits;
  serverTime: number;
}

export interface LookAtArea {
  box: number[];
  channel: string;
}

export interface MessageSender {
  userId: string;
  sessionId: string;
}

export interface Pong {
  serverTime: number;
}

export interface PresenceChange {
  event: 'join' | 'leave';
  member: PresentUser;
}

export interface PresentUser {
  userId: string;
}

export interface PublicationInReply {
  seq: number;
  ts: number;
  enc?: string;
  data?: unknown;
  from?: PublicationSender;
}

export interface PublicationSender {
  userId: string;
  sessionId: string;
}

export interface Publish {
  data?: unknown;
  idempotencyKey?: string;
  ttlMs?: number;
  excludeSelf?: boolean;
  channel: string;
}

export interface Published {
  channel: string;
  epoch?: string;
  seq?: number;
}

export interface ReadHistory {
  since?: Since;
  limit?: number;
  reverse?: boolean;
  channel: string;
}

export interface ReadPresence {
  channel: string;
}

export interface ReadState {
  channel: string;
}

export interface RemoveState {
  key: string;
  ifVersion?: number;
  channel: string;
}

export interface SendMessage {
  targetUserId: string;
  message: unknown;
}

export interface SendResult {
  sessions: number;
}

export interface SessionLimits {
  maxMessageBytes: number;
  messageRate: number;
  messageBurst: number;
}

export interface SetState {
  patch?: unknown;
  channel: string;
  key: string;
  ifVersion?: number;
}

export interface Since {
  epoch: string;
  seq: number;
}

export interface StartTap {
  userId?: string;
  sessionId?: string;
  channel?: string;
  type?: string;
  payload?: boolean;
}

export interface StateChanged {
  channel: string;
  key: string;
  epoch: string;
  version: number;
}

export interface StatePage {
  state: Record<string, unknown>;
  versions: Record<string, unknown>;
  more?: boolean;
  channel: string;
  epoch: string;
  seq: number;
}

export interface StatePart {
  cell?: string;
  state: Record<string, unknown>;
  versions: Record<string, unknown>;
  more?: boolean;
}

export interface Subscribe {
  since?: Since;
  presence?: boolean;
  previousSession?: string;
  channel: string;
}

export interface Subscription {
  channel: string;
  recovered: boolean;
  publications: PublicationInReply[];
  gap?: ChannelGap;
  state?: Record<string, unknown>;
  versions?: Record<string, unknown>;
  more?: boolean;
  epoch?: string;
  seq?: number;
}

export interface SubscriptionLoss {
  lost: 'channel' | 'presence';
  code: string;
  message: string;
}

export interface TapEnd {
  tapId: string;
  reason: 'time' | 'rights';
}

export interface TapLine {
  tapId: string;
  at: number;
  node: string;
  direction: 'in' | 'out' | 'event';
  type: string;
  outcome: string;
  session?: string;
  user?: string;
  channel?: string;
  seq?: number;
  bytes?: number;
  ms?: number;
  sessions?: number;
  payload?: string;
  leftOut?: number;
}

export interface TapStarted {
  tapId: string;
  endsAt: number;
  nodes: string[];
  missing: string[];
}

export interface TapStopped {
  wasActive: boolean;
}

export interface TokenExpiry {
  expiresAt: number | null;
}

export interface Unsubscribe {
  channel: string;
}

export interface Unsubscribed {
  channel: string;
}
