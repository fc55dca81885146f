import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import type { ServerMessage } from '@gatehouse/protocol';
import { protobufCodec } from '../../../src/protocol/codecs/protobuf-codec.js';

const PROTO_FILE = fileURLToPath(new URL('../../../proto/gatehouse/v2/envelope.proto', import.meta.url));
const Envelope = new protobuf.Root().loadSync(PROTO_FILE, { keepCase: true }).lookupType('gatehouse.v2.Envelope');

describe('the published envelope.proto', () => {
  it('reads what the codec writes', () => {
    const message: ServerMessage = {
      type: 'message',
      id: -17,
      channel: 'room:lobby',
      seq: 42,
      epoch: 'k3f9x',
      ts: 1_763_812_800_123,
      from: { userId: 'u-1', sessionId: 's-1' },
      trace: '00-1-2-01',
      enc: 'fernet',
      data: { s: 'é', i: -5, n: 0.5, b: true, z: null, raw: Buffer.of(1, 2), l: [1, []], m: {}, u: 2n ** 64n - 1n },
    };
    expect(readByReflection(protobufCodec.encode(message))).toEqual({
      version: 1,
      type: 'message',
      id_number: '-17',
      data: {
        map_value: {
          fields: {
            s: { string_value: 'é' },
            i: { integer_value: '-5' },
            n: { number_value: 0.5 },
            b: { bool_value: true },
            z: { null_value: 'NULL_VALUE' },
            raw: { bytes_value: 'AQI=' },
            l: { list_value: { values: [{ integer_value: '1' }, { list_value: {} }] } },
            m: { map_value: {} },
            u: { unsigned_value: '18446744073709551615' },
          },
        },
      },
      channel: 'room:lobby',
      seq: '42',
      epoch: 'k3f9x',
      ts: '1763812800123',
      from: { user_id: 'u-1', session_id: 's-1' },
      trace: '00-1-2-01',
      enc: 'fernet',
    });
  });

  it('reads the errors the codec writes', () => {
    const details = { 'data.text': ['must be a string', 'must not be empty'] };
    const frame = protobufCodec.encode({
      type: 'error',
      id: 'c-17',
      code: 'VALIDATION_FAILED',
      message: 'Validation failed',
      details,
      retryAfter: 0,
    });
    expect(readByReflection(frame)).toEqual({
      version: 1,
      type: 'error',
      id_text: 'c-17',
      error: {
        code: 'VALIDATION_FAILED',
        message: 'Validation failed',
        details: { 'data.text': { reasons: details['data.text'] } },
        retry_after: '0',
      },
    });
  });

  it('reads bytes in data as raw', () => {
    expect(readByReflection(protobufCodec.encode({ type: 't', data: Buffer.of(1, 2) }))).toMatchObject({ raw: 'AQI=' });
  });

  it('writes what the codec reads', () => {
    const value = {
      map_value: {
        fields: {
          s: { string_value: 'é' },
          i: { integer_value: '-9007199254740993' },
          small: { integer_value: -300 },
          n: { number_value: 5 },
          b: { bool_value: false },
          z: { null_value: 0 },
          nothing: {},
          raw: { bytes_value: Buffer.of(1, 2) },
          l: { list_value: { values: [{ unsigned_value: 7 }, {}] } },
          m: { map_value: {} },
        },
      },
    };
    const frame = writeByReflection({ type: 'chat.post', id_text: 'c-17', trace: 't', enc: 'e', data: value });
    expect(protobufCodec.decode(frame)).toEqual({
      type: 'chat.post',
      id: 'c-17',
      trace: 't',
      enc: 'e',
      data: {
        s: 'é',
        i: -9_007_199_254_740_993n,
        small: -300,
        n: 5,
        b: false,
        z: null,
        nothing: null,
        raw: Buffer.of(1, 2),
        l: [7, null],
        m: {},
      },
    });
  });

  it('writes every field the server sends so that the codec reads it', () => {
    const frame = writeByReflection({
      version: 1,
      type: 'error',
      id_number: 7,
      channel: 'c',
      seq: 0,
      epoch: 'e',
      ts: -1,
      from: { user_id: 'u', session_id: 's' },
      error: { code: 'TIMEOUT', message: 'Timed out', details: { a: { reasons: ['x'] }, b: {} }, retry_after: 9 },
      raw: Buffer.of(3),
    });
    expect(protobufCodec.decode(frame)).toEqual({
      v: 1,
      type: 'error',
      id: 7,
      channel: 'c',
      seq: 0,
      epoch: 'e',
      ts: -1,
      from: { userId: 'u', sessionId: 's' },
      code: 'TIMEOUT',
      message: 'Timed out',
      details: { a: ['x'], b: [] },
      retryAfter: 9,
      data: Buffer.of(3),
    });
  });

  it('lets the codec skip fields it does not know, groups too', () => {
    // field 15 varint, 16 fixed64, 17 bytes, 18 group of a varint, 19 fixed32; then type "t"
    const unknown = '7801' + '81010000000000000000' + '8a010161' + '9301' + '0801' + '9401' + '9d0100000000';
    expect(protobufCodec.decode(Buffer.from(unknown + '120174', 'hex'))).toEqual({ type: 't' });
  });

  it('is written as these bytes', () => {
    const frame = protobufCodec.encode({ type: 'echo_reply', id: 'c1', data: { n: -1 } });
    expect(Buffer.from(frame).toString('hex')).toBe('0801120a6563686f5f7265706c791a0263312a0b4a090a070a016e12022001');
  });
});

function readByReflection(frame: string | Uint8Array): unknown {
  const message = Envelope.decode(Buffer.from(frame));
  return Envelope.toObject(message, { longs: String, bytes: String, enums: String });
}

function writeByReflection(fields: Record<string, unknown>): Buffer {
  return Buffer.from(Envelope.encode(Envelope.fromObject(fields)).finish());
}
