import { Injectable } from '@nestjs/common';

export const PHASES = ['starting', 'ready', 'draining', 'stopped'] as const;
export type Phase = (typeof PHASES)[number];

/** The state of the server between start and shutdown. It only moves forward. */
@Injectable()
export class ServerState {
  private current: Phase = 'starting';

  get phase(): Phase {
    return this.current;
  }

  get isReady(): boolean {
    return this.current === 'ready';
  }

  /** The server listens and every module has started. */
  ready(): void {
    if (this.current === 'starting') this.current = 'ready';
  }

  /** No new connections; open ones are being closed. */
  draining(): void {
    if (this.current !== 'stopped') this.current = 'draining';
  }

  stopped(): void {
    this.current = 'stopped';
  }
}
