import { pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino';
import type { Settings } from '../../../config/settings.js';

/** Fields of every line, read when it is written. */
export type LineFields = () => Record<string, unknown>;

/** Writes JSON lines of every level; the caller decides about levels. */
export function createLogger(
  { serverId }: Settings['server'],
  destination: DestinationStream,
  mixin?: LineFields,
): Logger {
  return pino(
    {
      level: 'trace',
      base: { node: serverId },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label: string) => ({ level: label }) },
      ...(mixin && { mixin }),
    },
    destination,
  );
}
