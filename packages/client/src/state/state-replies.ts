import type { Position } from '@gatehouse/protocol';
import type { Incoming } from '../incoming.js';

/** Values, or a part of them, as replies and `state` messages have them. */
export interface Part extends Partial<Position> {
  readonly recovered?: boolean;
  readonly publications?: readonly { readonly seq: number; readonly data?: unknown }[];
  readonly state?: unknown;
  readonly versions?: unknown;
  readonly more?: boolean;
}

/** The box is of no use, and the client looks at what it did before. */
export const UNFIT = ['AREA_TOO_LARGE', 'VALIDATION_FAILED'];
export const RETRIED = ['NO_ANSWER', 'BAD_MESSAGE'];
export const LOST = ['NOT_CONNECTED', 'CONNECTION_LOST', 'CLOSED', 'ABORTED', 'QUEUE_FULL'];
/** The requests have tried again several times by then. */
export const RETRY_MS = 1_000;

/** Whether a message belongs before a part of the same epoch. */
export function isWithin({ epoch, seq = 0 }: Incoming, part: Part): boolean {
  return epoch === part.epoch && seq <= (part.seq ?? 0);
}

export const nobody = (): void => {};
