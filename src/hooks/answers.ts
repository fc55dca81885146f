import { WsException } from '@nestjs/websockets';
import { ERRORS, type ErrorCode } from '@gatehouse/protocol';
import { APPLICATION_CODE } from '../dispatch/error-reply.js';
import { GatehouseError } from '../protocol/gatehouse-error.js';
import type { Session } from '../sessions/session.js';
import type { HookAnswer } from './hook-client.js';

/** What a back end says against a request of a client. */
export interface Denial {
  readonly code: string;
  readonly message: string | undefined;
}

/** What a client is answered if the back end cannot be asked. */
const RETRY_AFTER_MS = 1_000;

/** @throws Error if the answer has a field that is not one of these */
export function onlyFields(answer: HookAnswer, known: readonly string[]): void {
  const unknown = Object.keys(answer).find((field) => !known.includes(field));
  if (unknown !== undefined)
    throw new Error(`its answer has an unknown field, ${JSON.stringify(unknown.slice(0, 64))}`);
}

/** Reads `deny`, or `error` of a message; undefined if the answer has none. */
export function denialOf(value: unknown): Denial | undefined {
  if (value === undefined) return undefined;
  const { code, message } = (typeof value === 'object' && value !== null ? value : {}) as Partial<Denial>;
  if (
    typeof code !== 'string' ||
    !APPLICATION_CODE.test(code) ||
    (message !== undefined && typeof message !== 'string')
  ) {
    throw new Error('it denies without { code, message }, where a code is like ROOM_CLOSED');
  }
  return { code, message };
}

/** The error that the client gets. */
export function refusalFrom({ code, message }: Denial): Error {
  if (Object.hasOwn(ERRORS, code)) return new GatehouseError(code as ErrorCode, { message });
  return new WsException({ code, message: message ?? 'Refused' });
}

export function unavailable(): GatehouseError {
  return new GatehouseError('UPSTREAM_UNAVAILABLE', { retryAfter: RETRY_AFTER_MS });
}

/** A session, or a client that is about to have one, as back ends read it. */
export function sessionForBackEnd({ id, principal, address }: Pick<Session, 'id' | 'principal' | 'address'>): object {
  const { anonymous, userId, roles } = principal;
  return { session: id, user: anonymous ? null : userId, roles, address };
}
