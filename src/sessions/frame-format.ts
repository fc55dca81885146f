import type { Subprotocol, ServerMessage } from '@gatehouse/protocol';
import type { Codec } from '../protocol/codecs/codec.js';
import { CODECS } from '../protocol/codecs/subprotocols.js';
import { compressedFrame, frame, OPCODE, type Opcode } from '../socket/frame.js';

/**
 * How messages become frames for a group of clients: their codec, and whether they accept compressed frames. Clients of
 * one format get the same bytes.
 */
export class FrameFormat {
  private readonly opcode: Opcode;

  /** @param compressFromBytes payloads of at least this length are compressed; 0: none */
  constructor(
    readonly codec: Codec,
    private readonly compressFromBytes: number,
  ) {
    this.opcode = codec.frameKind === 'text' ? OPCODE.text : OPCODE.binary;
  }

  /** @throws TypeError or RangeError if the data cannot be encoded */
  frame(message: ServerMessage): Buffer {
    const payload = this.codec.encode(message);
    // A string has at least a third as many characters as bytes, which is good enough to tell long from short.
    const isCompressed = this.compressFromBytes > 0 && payload.length >= this.compressFromBytes;
    return isCompressed ? compressedFrame(this.opcode, payload) : frame(this.opcode, payload);
  }
}

/** The formats of a server: two for each codec, each created once. */
export class FrameFormats {
  private readonly plain = formatsOf(0);
  private readonly compressed: Record<Subprotocol, FrameFormat>;

  /** @param compressFromBytes 0: nothing is compressed */
  constructor(compressFromBytes: number) {
    this.compressed = formatsOf(compressFromBytes);
  }

  /** @param takesCompressed whether the client negotiated permessage-deflate in the form that we write */
  of(codec: Codec, takesCompressed: boolean): FrameFormat {
    return (takesCompressed ? this.compressed : this.plain)[codec.subprotocol];
  }
}

function formatsOf(compressFromBytes: number): Record<Subprotocol, FrameFormat> {
  return {
    'v1.json': new FrameFormat(CODECS['v1.json'], compressFromBytes),
    // Their lists are compressed, not their messages.
    'v1.json.batch': new FrameFormat(CODECS['v1.json.batch'], 0),
    'v1.binary': new FrameFormat(CODECS['v1.binary'], compressFromBytes),
    'v2.proto': new FrameFormat(CODECS['v2.proto'], compressFromBytes),
  };
}
