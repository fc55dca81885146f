import { Injectable } from '@nestjs/common';
import { Overload } from './overload.js';
import { ServerState } from './server-state.js';

/** Whether this node accepts clients, and why not. */
@Injectable()
export class Readiness {
  constructor(
    readonly state: ServerState,
    readonly overload: Overload,
  ) {}

  get isReady(): boolean {
    return this.fault === undefined;
  }

  get fault(): 'starting' | 'draining' | 'overloaded' | undefined {
    if (this.state.isReady) return this.overload.sign === undefined ? undefined : 'overloaded';
    return this.state.phase === 'starting' ? 'starting' : 'draining';
  }
}
