import type { LocalChannel } from './local-channel.js';

/** The channels of a session on this node. */
export class SessionChannels {
  readonly all = new Set<LocalChannel>();
  private companions = 0;

  /** Without companion channels. */
  get count(): number {
    return this.all.size - this.companions;
  }

  add(channel: LocalChannel): void {
    if (!this.all.has(channel) && channel.isCompanion) this.companions += 1;
    this.all.add(channel);
  }

  delete(channel: LocalChannel): void {
    if (this.all.delete(channel) && channel.isCompanion) this.companions -= 1;
  }
}
