import type { Duplex } from 'node:stream';
import { JOIN_LIMIT_BYTES, type FlushTurn } from './flush-turn.js';
import type { OutboundContext } from './outbound-context.js';

/** Frames smaller than this are copied together even if there are many: a vector of thousands of chunks costs more. */
const SMALL_FRAME_BYTES = 4 * 1024;

interface Writing {
  /** Of all frames together. */
  readonly bytes: number;
  readonly turn: FlushTurn;
  /** Called when the operating system has taken all of them, or the write has failed. */
  readonly done: ((error?: Error | null) => void) | undefined;
}

/** Writes frames to a socket in one write. */
export function writeFrames(socket: Duplex, frames: readonly Buffer[], { bytes, turn, done }: Writing): void {
  turn.bytesSent += bytes;
  if (frames.length === 1) {
    socket.write(frames[0], done);
  } else if (bytes <= JOIN_LIMIT_BYTES || bytes / frames.length < SMALL_FRAME_BYTES) {
    socket.write(turn.join(frames, bytes), done);
  } else {
    const last = frames.length - 1;
    socket.cork();
    frames.forEach((frame, index) => socket.write(frame, index === last ? done : undefined));
    socket.uncork();
  }
}

interface ListWriting extends Pick<Writing, 'done'> {
  readonly context: Pick<OutboundContext, 'turn' | 'compression'>;
  readonly isCompressed: boolean;
}

/** The same in lists of messages. */
export function writeLists(
  socket: Duplex,
  frames: readonly Buffer[],
  { context, isCompressed, done }: ListWriting,
): void {
  const { turn, compression } = context;
  const lists = turn.lists.of(frames, isCompressed ? compression : undefined);
  const bytes = lists.reduce((sum, { length }) => sum + length, 0);
  writeFrames(socket, lists, { bytes, turn, done });
}
