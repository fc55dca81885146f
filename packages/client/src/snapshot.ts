import type { HelloReply } from '@gatehouse/protocol';
import type { Close } from './delays.js';

export type State = 'idle' | 'connecting' | 'open' | 'waiting' | 'closed';

/** The connection at one moment. A new object for each change. */
export interface ConnectionSnapshot {
  readonly state: State;
  /** Attempts since the last connection that held. */
  readonly attempt: number;
  /** Whether there has been no connection for five seconds although there should be one. */
  readonly lost: boolean;
  /** How the last connection ended. */
  readonly close?: Close | undefined;
  readonly session?: Pick<HelloReply, 'sessionId' | 'userId'> | undefined;
}

export const IDLE: ConnectionSnapshot = { state: 'idle', attempt: 0, lost: false };
