import { describe, expect, it } from 'vitest';
import { MAX_ID_LENGTH, MAX_TYPE_LENGTH } from '@gatehouse/protocol';
import { EnvelopeError, readEnvelope } from '../../../src/protocol/envelope.js';

describe('readEnvelope', () => {
  it('reads type, id, data, trace, enc and ts', () => {
    const fields = { type: 'chat.post', id: 'c-17', data: { text: 'hi' }, trace: '00-1-2-01', enc: 'fernet', ts: 7 };
    expect(readEnvelope({ v: 1, ...fields })).toStrictEqual(fields);
  });

  it('reads event and payload as aliases, where type and data are absent', () => {
    expect(readEnvelope({ event: 'echo', payload: 1 })).toMatchObject({ type: 'echo', data: 1 });
    expect(readEnvelope({ event: 'a', type: 'b', payload: 1, data: 2 })).toMatchObject({ type: 'b', data: 2 });
    expect(readEnvelope({ event: 'a', type: null })).toMatchObject({ type: 'a' });
  });

  it('takes null for absent, except in data', () => {
    const nulls = { v: null, type: 't', id: null, trace: null, enc: null, ts: null };
    expect(readEnvelope({ ...nulls, data: null, payload: 1 })).toStrictEqual({
      type: 't',
      id: undefined,
      data: null,
      trace: undefined,
      enc: undefined,
      ts: undefined,
    });
  });

  it.each(['2026-01-01', 1.5, 2n ** 60n, NaN, {}])('takes the ts %s, which is no time, for absent', (ts) => {
    expect(readEnvelope({ type: 't', ts })).toMatchObject({ type: 't', ts: undefined });
  });

  it.each([undefined, null, 1, 'text', true, [], [{ type: 't' }], 1n])('refuses the body %s', (body) => {
    expect(refusal(body)).toMatchObject({ code: 'INVALID_MESSAGE_FORMAT', id: undefined });
  });

  it.each([undefined, null, 1, '', {}, [], 't'.repeat(MAX_TYPE_LENGTH + 1)])(
    'refuses the type %j, and bears the id',
    (type) => {
      expect(refusal({ type, id: 'c-17' })).toMatchObject({ code: 'INVALID_MESSAGE_FORMAT', id: 'c-17' });
    },
  );

  it('takes a type of MAX_TYPE_LENGTH characters', () => {
    const type = 't'.repeat(MAX_TYPE_LENGTH);
    expect(readEnvelope({ type })).toMatchObject({ type });
  });

  it.each(['', 'x'.repeat(MAX_ID_LENGTH), 0, -1, Number.MAX_SAFE_INTEGER])('takes the id %j', (id) => {
    expect(readEnvelope({ type: 't', id })).toMatchObject({ id });
  });

  it.each(['x'.repeat(MAX_ID_LENGTH + 1), 0.5, 2 ** 53, NaN, true, {}, [], 2n ** 53n])(
    'refuses the id %s, and bears none',
    (id) => {
      expect(refusal({ type: 't', id })).toMatchObject({ code: 'INVALID_MESSAGE_FORMAT', id: undefined });
    },
  );

  it.each([0, 2, -1])('answers version %d with UNSUPPORTED_VERSION, and bears the id', (v) => {
    expect(refusal({ v, type: 't', id: 3 })).toMatchObject({ code: 'UNSUPPORTED_VERSION', id: 3 });
  });

  it.each(['1', 1.5, {}, true])('refuses the version %j', (v) => {
    expect(refusal({ v, type: 't', id: 3 })).toMatchObject({ code: 'INVALID_MESSAGE_FORMAT', id: 3 });
  });

  it.each(['trace', 'enc'])('refuses a %s that is no string, and bears the id', (field) => {
    expect(refusal({ type: 't', id: 3, [field]: 1 })).toMatchObject({ code: 'INVALID_MESSAGE_FORMAT', id: 3 });
  });
});

function refusal(body: unknown): unknown {
  try {
    readEnvelope(body);
  } catch (error) {
    expect(error).toBeInstanceOf(EnvelopeError);
    return error;
  }
  throw new Error('was taken for an envelope');
}
