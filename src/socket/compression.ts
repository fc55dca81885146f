import { compressedFrame, deflated } from './compressed-frame.js';
import { frame, type Opcode } from './frame.js';

export interface CompressionLimits {
  /** Messages of at least this length are compressed. 0: none. */
  readonly messagesFromBytes: number;
  /** Lists of `v1.json.batch` of at least this length are compressed. 0: none. */
  readonly listsFromBytes: number;
  /** Nothing is compressed while the process uses more of one core. 0: no check. */
  readonly maxProcessorPercent: number;
}

/** What became of a frame that was long enough: `incompressible` and `busy` left as they were. */
export type CompressionOutcome = 'compressed' | 'incompressible' | 'busy';

/** A frame that does not shrink below this share leaves as it is: the client would inflate it for nothing. */
const WORTH_SHARE = 0.9;
/** Frames after one that did not shrink of which only a sample is compressed first. */
const DOUBTFUL_FRAMES = 64;
const SAMPLE_BYTES = 1_024;
/** Shorter frames are compressed as a whole, because a sample would take as long. */
const SAMPLED_FROM_BYTES = 4 * SAMPLE_BYTES;
/** Compression goes on below this share of the limit, because without it the process has less to do. */
const CALM_SHARE = 0.8;

/** Decides which frames of this node are compressed, and counts what it saves. One frame serves all its receivers. */
export class Compression {
  /** Frames that were long enough, each once for all its receivers. */
  readonly frames: Record<CompressionOutcome, number> = { compressed: 0, incompressible: 0, busy: 0 };
  /** Bytes of the compressed frames' payloads, each once for all its receivers. */
  readonly bytes = { before: 0, after: 0 };
  /** Whether the process uses too much processor time. */
  isPaused = false;
  private doubtfulFrames = 0;

  constructor(readonly limits: CompressionLimits) {}

  /** @param share of one core that the process uses now */
  observeProcessor(share: number): void {
    const { maxProcessorPercent } = this.limits;
    if (maxProcessorPercent === 0) return;
    const percent = share * 100;
    if (percent > maxProcessorPercent) this.isPaused = true;
    else if (percent < maxProcessorPercent * CALM_SHARE) this.isPaused = false;
  }

  /** A frame of a payload that is long enough: compressed, unless that is not worth its time. */
  frame(opcode: Opcode, payload: string | Uint8Array): Buffer {
    if (this.isPaused) return this.plain('busy', opcode, payload);
    const short = this.shortened(payload);
    return short === undefined ? this.plain('incompressible', opcode, payload) : compressedFrame(opcode, short);
  }

  private plain(outcome: CompressionOutcome, opcode: Opcode, payload: string | Uint8Array): Buffer {
    this.frames[outcome] += 1;
    return frame(opcode, payload);
  }

  /** Undefined if the payload does not shrink enough. */
  private shortened(payload: string | Uint8Array): Buffer | undefined {
    if (this.doubtfulFrames > 0) {
      this.doubtfulFrames -= 1;
      if (payload.length >= SAMPLED_FROM_BYTES && !shrinks(sampleOf(payload))) return this.doubt();
    }
    const bytes = deflated(payload);
    const before = Buffer.byteLength(payload);
    if (bytes.length > before * WORTH_SHARE) return this.doubt();
    this.frames.compressed += 1;
    this.bytes.before += before;
    this.bytes.after += bytes.length;
    return bytes;
  }

  private doubt(): undefined {
    this.doubtfulFrames = DOUBTFUL_FRAMES;
  }
}

/** From the middle, where no header is. */
function sampleOf(payload: string | Uint8Array): string | Uint8Array {
  const from = Math.floor((payload.length - SAMPLE_BYTES) / 2);
  const to = from + SAMPLE_BYTES;
  return typeof payload === 'string' ? payload.slice(from, to) : payload.subarray(from, to);
}

function shrinks(sample: string | Uint8Array): boolean {
  return deflated(sample).length <= Buffer.byteLength(sample) * WORTH_SHARE;
}
