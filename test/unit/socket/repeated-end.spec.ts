import { once } from 'node:events';
import { Writable } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ignoreRepeatedEnd } from '../../../src/socket/repeated-end.js';

function collector(): { readonly stream: Writable; readonly chunks: string[] } {
  const chunks: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(chunk.toString());
      done();
    },
  });
  ignoreRepeatedEnd(stream);
  return { stream, chunks };
}

describe('a stream that is ended more than once', () => {
  afterEach(() => void vi.restoreAllMocks());

  it('ends with its last chunk, and calls back', async () => {
    const { stream, chunks } = collector();
    stream.write('one');
    await new Promise<void>((resolve) => void stream.end('two', resolve));
    expect([chunks, stream.writableFinished]).toEqual([['one', 'two'], true]);
  });

  it('makes no error of it', async () => {
    const { stream } = collector();
    const ends = vi.spyOn(Writable.prototype, 'end');
    stream.end();
    await once(stream, 'finish');
    expect(stream.end()).toBe(stream);
    expect(ends).toHaveBeenCalledTimes(1);
  });

  it('is told of a chunk that comes too late', async () => {
    const { stream } = collector();
    stream.end();
    const failed = once(stream, 'error');
    stream.end('late');
    expect(await failed).toMatchObject([{ code: 'ERR_STREAM_WRITE_AFTER_END' }]);
  });
});
