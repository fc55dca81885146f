import type { Subprotocol, ServerMessage } from '@gatehouse/protocol';
import type { Codec } from '../protocol/codecs/codec.js';
import { CODECS } from '../protocol/codecs/subprotocols.js';
import type { Compression } from '../socket/compression.js';
import { frame, OPCODE, type Opcode } from '../socket/frame.js';

/**
 * How messages become frames for a group of clients: their codec, and whether they accept compressed frames. Clients of
 * one format get the same bytes.
 */
export class FrameFormat {
  private readonly opcode: Opcode;

  private readonly compressFromBytes: number;

  /** @param compression undefined: nothing is compressed */
  constructor(
    readonly codec: Codec,
    private readonly compression?: Compression,
  ) {
    this.compressFromBytes = compression?.limits.messagesFromBytes || Infinity;
    this.opcode = codec.frameKind === 'text' ? OPCODE.text : OPCODE.binary;
  }

  /** @throws TypeError or RangeError if the data cannot be encoded */
  frame(message: ServerMessage): Buffer {
    const payload = this.codec.encode(message);
    // A string has at least a third as many characters as bytes, which is good enough to tell long from short.
    const isLong = payload.length >= this.compressFromBytes;
    return this.compression !== undefined && isLong
      ? this.compression.frame(this.opcode, payload)
      : frame(this.opcode, payload);
  }
}

/** The formats of a server: two for each codec, each created once. */
export class FrameFormats {
  private readonly plain = formatsOf(undefined);
  private readonly compressed: Record<Subprotocol, FrameFormat>;

  constructor(compression: Compression) {
    this.compressed = formatsOf(compression);
  }

  /** @param takesCompressed whether the client negotiated permessage-deflate in the form that we write */
  of(codec: Codec, takesCompressed: boolean): FrameFormat {
    return (takesCompressed ? this.compressed : this.plain)[codec.subprotocol];
  }
}

function formatsOf(compression: Compression | undefined): Record<Subprotocol, FrameFormat> {
  return {
    'v1.json': new FrameFormat(CODECS['v1.json'], compression),
    // Their lists are compressed, not their messages.
    'v1.json.batch': new FrameFormat(CODECS['v1.json.batch']),
    'v1.binary': new FrameFormat(CODECS['v1.binary'], compression),
    'v2.proto': new FrameFormat(CODECS['v2.proto'], compression),
  };
}
