import type { FromPrimary, FromWorker } from './worker-messages.js';

/** The channel between a worker and its primary. node:cluster opens it. */
export abstract class PrimaryChannel {
  abstract send(message: FromWorker): void;
  abstract listen(hear: (message: FromPrimary) => void): void;
  /** Hears nothing more. */
  abstract close(): void;
}

export class ProcessChannel implements PrimaryChannel {
  private readonly listeners: ((message: FromPrimary) => void)[] = [];

  send(message: FromWorker): void {
    // While the primary ends, the channel is closed.
    if (process.connected) process.send?.(message, undefined, undefined, () => {});
  }

  listen(hear: (message: FromPrimary) => void): void {
    this.listeners.push(hear);
    process.on('message', hear);
  }

  close(): void {
    for (const listener of this.listeners) process.off('message', listener);
  }
}
