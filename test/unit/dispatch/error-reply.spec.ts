import { ForbiddenException, HttpException, NotFoundException, UnauthorizedException } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { describe, expect, it } from 'vitest';
import { errorReply, isFault } from '../../../src/dispatch/error-reply.js';
import { ERRORS, type ErrorCode } from '@gatehouse/protocol';
import { GatehouseError } from '../../../src/protocol/gatehouse-error.js';

describe('the reply to an exception', () => {
  it.each(Object.keys(ERRORS) as ErrorCode[])('is the registry’s sentence for %s', (code) => {
    expect(errorReply(new GatehouseError(code), 'i')).toMatchObject({
      type: 'error',
      id: 'i',
      code,
      ...sentence(code),
    });
  });

  it.each([
    [401, 'UNAUTHENTICATED'],
    [403, 'FORBIDDEN'],
    [404, 'VALIDATION_FAILED'],
    [408, 'TIMEOUT'],
    [409, 'VALIDATION_FAILED'],
    [413, 'MESSAGE_TOO_LARGE'],
    [429, 'RATE_LIMIT_EXCEEDED'],
    [500, 'INTERNAL_ERROR'],
    [501, 'INTERNAL_ERROR'],
    [502, 'UPSTREAM_UNAVAILABLE'],
    [503, 'SERVER_BUSY'],
    [504, 'UPSTREAM_UNAVAILABLE'],
  ] as const)('of HTTP %i is %s', (status, code) => {
    const reply = errorReply(new HttpException('its own sentence', status), undefined);
    expect(reply).toMatchObject({ code, message: status < 500 ? 'its own sentence' : ERRORS[code].message });
  });

  it('has the registry’s sentence where Nest has only the name of the status', () => {
    expect(errorReply(new ForbiddenException(), 1)).toMatchObject(sentence('FORBIDDEN'));
    expect(errorReply(new ForbiddenException('Forbidden resource'), 1)).toMatchObject(sentence('FORBIDDEN'));
    expect(errorReply(new UnauthorizedException(), 1)).toMatchObject(sentence('UNAUTHENTICATED'));
    expect(errorReply(new NotFoundException('No such room'), 1)).toMatchObject({ message: 'No such room' });
    expect(errorReply(new HttpException('', 400), 1)).toMatchObject(sentence('VALIDATION_FAILED'));
  });

  it.each([
    ['an object without a message', {}, { code: 'VALIDATION_FAILED' }],
    ['a code in lower case', { code: 'room_full', message: 'm' }, { code: 'VALIDATION_FAILED', message: 'm' }],
    ['a code too long', { code: 'A'.repeat(65), message: 'm' }, { code: 'VALIDATION_FAILED' }],
    ['a code that is a number', { code: 5, message: 'm' }, { code: 'VALIDATION_FAILED' }],
    ['a message that is no text', { code: 'A', message: { a: 1 } }, { code: 'A', message: 'Ws Exception' }],
    ['a negative retryAfter', { code: 'A', message: 'm', retryAfter: -1 }, { retryAfter: undefined }],
    ['a retryAfter NaN', { code: 'A', message: 'm', retryAfter: NaN }, { retryAfter: undefined }],
    ['details that are a list', { code: 'A', message: 'm', details: ['x'] }, { details: undefined }],
    ['details of one text', { code: 'A', message: 'm', details: { a: 'x' } }, { details: undefined }],
    ['details of numbers', { code: 'A', message: 'm', details: { a: [1] } }, { details: undefined }],
  ])('of a WsException with %s can be written', (_what, error, expected) => {
    expect(errorReply(new WsException(error), undefined)).toMatchObject(expected);
  });

  it.each([NaN, Infinity, -1])('leaves out a retryAfter of %d, which is no duration', (retryAfter) => {
    expect(errorReply(new GatehouseError('SERVER_BUSY', { retryAfter }), 1).retryAfter).toBeUndefined();
  });

  it.each([null, undefined, 5, 'secret', Symbol('secret'), { code: 'SERVER_BUSY' }, new Error('secret')])(
    'says nothing of what was not meant for the client: %s',
    (exception) => {
      expect(errorReply(exception, undefined)).toEqual({ type: 'error', id: undefined, ...body('INTERNAL_ERROR') });
      expect(isFault(exception)).toBe(true);
    },
  );
});

describe('a fault of ours', () => {
  it('is what nobody threw on purpose', () => {
    expect(isFault(new GatehouseError('INTERNAL_ERROR'))).toBe(false);
    expect(isFault(new WsException('m'))).toBe(false);
    expect(isFault(new HttpException('m', 499))).toBe(false);
    expect(isFault(new HttpException('m', 500))).toBe(true);
    expect(isFault(new TypeError('m'))).toBe(true);
  });
});

function sentence(code: ErrorCode): { message: string } {
  return { message: ERRORS[code].message };
}

function body(code: ErrorCode): object {
  return { code, ...sentence(code) };
}
